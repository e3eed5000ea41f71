// SPDX-License-Identifier: GPL-3.0-or-later
// What shells complete command lines by, from the programs' own options.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "documentation.h"

namespace adamerge::cli {
namespace {

std::string functionName(const CLI::App& app) {
  std::string name = "_" + app.get_name();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::vector<std::string> optionWords(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::Option* option : shownOptions(app)) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

bool takesFile(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type == "FILE" || type == "DIR" || type == "PATH" || type == "PNG";
}

/// A backslash before each of `special`.
std::string escaped(const std::string& text, std::string_view special) {
  std::string result;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

/// One argument between single quotes, for zsh, where nothing stands for a quote but its end.
std::string inQuotes(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
  return result + "'";
}

/// For zsh's _arguments: every option with its description, then files.
std::string zshArguments(const CLI::App& app) {
  std::string text = "_arguments -S";
  for (const CLI::Option* option : shownOptions(app)) {
    for (const std::string& name : option->get_lnames()) {
      std::string spec = fmt::format("{}--{}[{}]", option->get_items_expected_max() > 1 ? "*" : "",
                                     name, escaped(option->get_description(), "[]\\"));
      if (takesValue(*option)) {
        spec += fmt::format(":{}:{}", escaped(option->get_type_name(), ":\\"),
                            takesFile(*option) ? "_files" : "");
      }
      text += fmt::format(" \\\n    {}", inQuotes(spec));
    }
  }
  return text + " \\\n    '*:file:_files'";
}

std::string fishOptions(const CLI::App& app, const std::string& program,
                        const std::string& condition) {
  std::string text;
  for (const CLI::Option* option : shownOptions(app)) {
    for (const std::string& name : option->get_lnames()) {
      const char* value = !takesValue(*option) ? "" : takesFile(*option) ? " -r" : " -x";
      text += fmt::format("complete -c {} {}-l {}{} -d '{}'\n", program, condition, name, value,
                          escaped(option->get_description(), "'\\"));
    }
  }
  return text;
}

}  // namespace

std::string bashCompletion(const CLI::App& app) {
  std::vector<std::string> first = optionWords(app);
  std::string cases;
  for (const CLI::App* command : commandsOf(app)) {
    first.push_back(command->get_name());
    cases += fmt::format("    {}) words='{}' ;;\n", command->get_name(),
                         fmt::join(optionWords(*command), " "));
  }
  // Where no option fits, names of files do.
  return fmt::format(
      "# bash completion for {0}, made by `{0} --bash-completion`\n"
      "{1}() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} words='{2}'\n"
      "  [ \"$COMP_CWORD\" -le 1 ] || case ${{COMP_WORDS[1]}} in\n"
      "{3}    *) ;;\n"
      "  esac\n"
      "  if [[ $word == -* || ( $COMP_CWORD -eq 1 && -n \"{4}\" ) ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
      "  fi\n"
      "}}\n"
      "complete -o default -F {1} {0}\n",
      app.get_name(), functionName(app), fmt::join(first, " "), cases,
      cases.empty() ? "" : "commands");
}

std::string zshCompletion(const CLI::App& app) {
  std::string text =
      fmt::format("#compdef {0}\n# made by `{0} --zsh-completion`\n", app.get_name());
  const std::vector<const CLI::App*> commands = commandsOf(app);
  if (commands.empty()) return text + zshArguments(app) + "\n";
  text += "if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then\n  local -a commands=(\n";
  for (const CLI::App* command : commands) {
    text +=
        fmt::format("    {}\n", inQuotes(command->get_name() + ":" + command->get_description()));
  }
  text += "  )\n  _describe command commands\n  return\nfi\n";
  text += "if (( CURRENT == 2 )); then\n  " + zshArguments(app) + "\n  return\nfi\n";
  text += "shift words\n(( CURRENT-- ))\ncase $words[1] in\n";
  for (const CLI::App* command : commands) {
    text += fmt::format("{})\n  {} ;;\n", command->get_name(), zshArguments(*command));
  }
  return text + "esac\n";
}

std::string fishCompletion(const CLI::App& app) {
  const std::string& name = app.get_name();
  std::string text =
      fmt::format("# fish completion for {0}, made by `{0} --fish-completion`\n", name);
  const std::vector<const CLI::App*> commands = commandsOf(app);
  text += fishOptions(app, name, commands.empty() ? "" : "-n __fish_use_subcommand ");
  for (const CLI::App* command : commands) {
    text += fmt::format("complete -c {} -n __fish_use_subcommand -f -a {} -d '{}'\n", name,
                        command->get_name(), escaped(command->get_description(), "'\\"));
    text += fishOptions(*command, name,
                        fmt::format("-n '__fish_seen_subcommand_from {}' ", command->get_name()));
  }
  return text;
}

}  // namespace adamerge::cli
