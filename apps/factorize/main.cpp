#include <factorize/factorize.h>

int main(int argc, char** argv) { return factorize::run(argc, argv); }
