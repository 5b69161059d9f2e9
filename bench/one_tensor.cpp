// How long a process takes that makes one tensor, and how much memory: compiled with each library.
#include TORCH_HEADER

int main() { return torch::ones({3}).numel() == 3 ? 0 : 1; }
