// SPDX-License-Identifier: GPL-3.0-or-later
#include "documentation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <vector>

namespace adamerge::cli {
namespace {

/// Text for roff: no hyphen becomes a typographic one, no line a request.
std::string roff(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
  }
  return result.starts_with('.') || result.starts_with('\'') ? "\\&" + result : result;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// Hidden options have no group.
std::vector<const CLI::Option*> shownOptions(const CLI::App& app) {
  std::vector<const CLI::Option*> options = app.get_options();
  std::erase_if(options, [](const CLI::Option* option) { return option->get_group().empty(); });
  return options;
}

std::vector<const CLI::App*> commandsOf(const CLI::App& app) { return app.get_subcommands({}); }

std::string nameOf(const CLI::Option& option) {
  const std::string name =
      option.nonpositional() ? option.get_name(false, true) : option.get_name(true);
  const bool takes_value = option.get_type_size() != 0 && !option.get_type_name().empty();
  return takes_value ? fmt::format("{} {}", name, option.get_type_name()) : name;
}

void addOptions(const CLI::App& app, std::string& page) {
  std::string group;
  for (const CLI::Option* option : shownOptions(app)) {
    if (option->get_group() != group && option->get_group() != "Options") {
      page += fmt::format(".PP\n{}:\n", roff(option->get_group()));
    }
    group = option->get_group();
    page += fmt::format(".TP\n.B {}\n{}\n", roff(nameOf(*option)), roff(option->get_description()));
  }
}

std::string usage(const CLI::App& app, const std::string& name) {
  std::string text = fmt::format(".B {}\n", roff(name));
  for (const CLI::Option* option : shownOptions(app)) {
    if (option->nonpositional()) continue;
    const std::string positional = roff(option->get_name(true));
    text += option->get_required() ? fmt::format(".I {}\n", positional)
                                   : fmt::format(".RI [ {} ]\n", positional);
  }
  return text + ".RI [ options ]\n";
}

std::vector<std::string> optionWords(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::Option* option : shownOptions(app)) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

}  // namespace

std::string manPage(const CLI::App& app) {
  const std::string& name = app.get_name();
  std::string page = fmt::format(".TH {} 1 \"\" \"{} {}\" \"User Commands\"\n", upper(roff(name)),
                                 "AdaMerge Studio", ADAMERGE_VERSION);
  const std::string description = app.get_description();
  const std::size_t sentence = std::min(description.find_first_of(":."), description.size());
  page += fmt::format(".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n", roff(name),
                      roff(description.substr(0, sentence)));
  const std::vector<const CLI::App*> commands = commandsOf(app);
  if (commands.empty()) page += usage(app, name);
  for (const CLI::App* command : commands) {
    page += usage(*command, name + " " + command->get_name()) + ".br\n";
  }
  page += fmt::format(".SH DESCRIPTION\n{}\n.SH OPTIONS\n", roff(description));
  addOptions(app, page);
  for (const CLI::App* command : commands) {
    page += fmt::format(".SH {} {}\n{}\n", upper(roff(name)), upper(roff(command->get_name())),
                        roff(command->get_description()));
    addOptions(*command, page);
  }
  page +=
      ".SH EXIT STATUS\n0: done. 1: the work failed; one line on standard error says why. 2: wrong "
      "usage.\n.SH FILES\n.TP\n.I ~/.cache/huggingface/hub\nModels of the hub; see HF_HOME, "
      "HF_HUB_CACHE, HF_HUB_OFFLINE, HF_ENDPOINT, HF_TOKEN.\n";
  return page;
}

std::string bashCompletion(const CLI::App& app) {
  const std::string& name = app.get_name();
  std::string function = name;
  std::replace(function.begin(), function.end(), '-', '_');
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
      "_{1}() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} words='{2}'\n"
      "  [ \"$COMP_CWORD\" -le 1 ] || case ${{COMP_WORDS[1]}} in\n"
      "{3}    *) ;;\n"
      "  esac\n"
      "  if [[ $word == -* || ( $COMP_CWORD -eq 1 && -n \"{4}\" ) ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
      "  fi\n"
      "}}\n"
      "complete -o default -F _{1} {0}\n",
      name, function, fmt::join(first, " "), cases, cases.empty() ? "" : "commands");
}

void addDocumentation(CLI::App& app) {
  const auto printed = [&app](const char* option, std::string (*text)(const CLI::App&)) {
    app.add_flag_callback(option, [&app, text] { throw CLI::CallForVersion(text(app), 0); })
        ->group("");
  };
  printed("--man", manPage);
  printed("--bash-completion", bashCompletion);
}

}  // namespace adamerge::cli
