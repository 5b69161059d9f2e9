#include <factorize/terminal/manual.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace factorize {
namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

// Those with names; what stands by its place has none.
std::vector<const CLI::Option*> named_options(const CLI::App& app) {
  std::vector<const CLI::Option*> options;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_lnames().empty() || !option->get_snames().empty()) options.push_back(option);
  }
  return options;
}

std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }
bool takes_file(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.starts_with("FILE") || type.starts_with("DIR");
}

// The words that a choice knows (add_choice()), of which --help says "als|bpr".
std::vector<std::string> choices(const CLI::Option& option) {
  const std::string& text = option.get_option_text();
  if (text.empty()) return {};
  std::vector<std::string> words{""};
  for (const char c : text) c == '|' ? static_cast<void>(words.emplace_back()) : words.back().push_back(c);
  return words;
}

// What --help calls an option's value.
std::string value_of(const CLI::Option& option) {
  return option.get_option_text().empty() ? option.get_type_name() : option.get_option_text();
}

// Text in troff, where hyphens are to stay what they are and no line begins with a dot or an apostrophe.
std::string troff(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '-') escaped.push_back('\\');
    escaped.push_back(c == '\\' ? 'e' : c);
  }
  return escaped.starts_with('.') || escaped.starts_with('\'') ? "\\&" + escaped : escaped;
}

void add_options(std::string& page, const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    std::string head;
    for (const std::string& name : spellings(*option))
      head += fmt::format("{}\\fB{}\\fR", head.empty() ? "" : ", ", troff(name));
    const std::string type = value_of(*option);
    if (head.empty()) {
      head = fmt::format("\\fI{}\\fR", troff(option->get_name()));
    } else if (takes_value(*option) && !type.empty()) {
      head += fmt::format(" \\fI{}\\fR", troff(type));
    }
    page += fmt::format(".TP\n{}\n{}\n", head, troff(option->get_description()));
  }
}

// In single quotes, for any shell.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) c == '\'' ? result += "'\\''" : result += c;
  return result + "'";
}

std::string bash_completion(const CLI::App& app) {
  std::string words;
  for (const CLI::App* command : commands_of(app)) words += command->get_name() + " ";
  std::string text = fmt::format(
      "# Completes {0} in bash.\n"
      "_{0}() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} options=\n"
      "  if [[ $COMP_CWORD -eq 1 ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W '{1}--help --version' -- \"$word\")\n"
      "    return\n"
      "  fi\n"
      "  case ${{COMP_WORDS[1]}}$before in\n",
      app.get_name(), words);
  for (const CLI::App* command : commands_of(app)) {
    for (const CLI::Option* option : named_options(*command)) {
      const std::vector<std::string> known = choices(*option);
      if (known.empty()) continue;
      for (const std::string& name : spellings(*option)) {
        text += fmt::format("    {}{}) mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\"); return ;;\n",
                            command->get_name(), name, fmt::join(known, " "));
      }
    }
  }
  text += "  esac\n  case ${COMP_WORDS[1]} in\n";
  for (const CLI::App* command : commands_of(app)) {
    std::vector<std::string> all;
    for (const CLI::Option* option : named_options(*command)) {
      for (std::string& name : spellings(*option)) all.push_back(std::move(name));
    }
    text += fmt::format("    {}) options='{}' ;;\n", command->get_name(), fmt::join(all, " "));
  }
  return text + fmt::format(
                    "  esac\n"
                    "  if [[ $word == -* ]]; then\n"
                    "    mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
                    "  else\n"
                    "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
                    "  fi\n"
                    "}}\n"
                    "complete -o filenames -F _{0} {0}\n",
                    app.get_name());
}

// Brackets and colons mean something to zsh.
std::string for_zsh(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("\\[]:").find(c) != std::string_view::npos) escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

// What a value of zsh's _arguments may be.
std::string zsh_value(const CLI::Option& option) {
  if (!takes_value(option)) return "";
  if (const std::vector<std::string> known = choices(option); !known.empty())
    return fmt::format(":value:({})", fmt::join(known, " "));
  return takes_file(option) ? ":file:_files" : ":value:";
}

std::string zsh_completion(const CLI::App& app) {
  std::string text =
      fmt::format("#compdef {0}\n# Completes {0} in zsh.\n\nlocal -a commands\ncommands=(\n", app.get_name());
  for (const CLI::App* command : commands_of(app)) {
    text += fmt::format("  {}\n", quoted(command->get_name() + ":" + for_zsh(command->get_description())));
  }
  text +=
      ")\nif (( CURRENT == 2 )); then\n  _describe command commands\n  return\nfi\nlocal command=$words[2]\nshift "
      "words\n(( CURRENT-- ))\ncase $command in\n";
  for (const CLI::App* command : commands_of(app)) {
    text += fmt::format("  {})\n    _arguments", command->get_name());
    for (const CLI::Option* option : named_options(*command)) {
      for (const std::string& name : spellings(*option)) {
        text +=
            fmt::format(" \\\n      {}",
                        quoted(fmt::format("{}[{}]{}", name, for_zsh(option->get_description()), zsh_value(*option))));
      }
    }
    text += " \\\n      '*:file:_files' ;;\n";
  }
  return text + "esac\n";
}

std::string fish_completion(const CLI::App& app) {
  std::string text = fmt::format("# Completes {} in fish.\n", app.get_name());
  for (const CLI::App* command : commands_of(app)) {
    text += fmt::format("complete -c {} -n __fish_use_subcommand -f -a {} -d {}\n", app.get_name(), command->get_name(),
                        quoted(command->get_description()));
    for (const CLI::Option* option : named_options(*command)) {
      text += fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}'", app.get_name(), command->get_name());
      for (const std::string& name : option->get_snames()) text += " -s " + name;
      for (const std::string& name : option->get_lnames()) text += " -l " + name;
      if (takes_value(*option)) text += takes_file(*option) ? " -r -F" : " -x";
      if (const std::vector<std::string> known = choices(*option); !known.empty()) {
        text += fmt::format(" -a {}", quoted(fmt::format("{}", fmt::join(known, " "))));
      }
      text += fmt::format(" -d {}\n", quoted(option->get_description()));
    }
  }
  return text;
}

}  // namespace

std::string manual_page(const CLI::App& app, const std::string& version) {
  std::string page = fmt::format(".TH {0} 1 \"\" \"{1} {2}\" \"User Commands\"\n.SH NAME\n{1} \\- {3}\n.SH SYNOPSIS\n",
                                 "FACTORIZE", app.get_name(), version, "matrix factorization");
  page += fmt::format(".B {0}\n[\\fICOMMAND\\fR] [\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n{1}\n.SH OPTIONS\n",
                      app.get_name(), troff(app.get_description()));
  add_options(page, app);
  page += ".SH COMMANDS\n";
  for (const CLI::App* command : commands_of(app)) {
    page +=
        fmt::format(".SS {} {}\n{}\n", app.get_name(), troff(command->get_name()), troff(command->get_description()));
    add_options(page, *command);
  }
  return page;
}

std::string completion(const CLI::App& app, Shell shell) {
  switch (shell) {
    case Shell::kBash: return bash_completion(app);
    case Shell::kZsh: return zsh_completion(app);
    case Shell::kFish: return fish_completion(app);
  }
  return "";
}

}  // namespace factorize
