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

std::string nameOf(const CLI::Option& option) {
  const std::string name =
      option.nonpositional() ? option.get_name(false, true) : option.get_name(true);
  return takesValue(option) ? fmt::format("{} {}", name, option.get_type_name()) : name;
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

}  // namespace

std::vector<const CLI::Option*> shownOptions(const CLI::App& app) {
  std::vector<const CLI::Option*> options = app.get_options();
  std::erase_if(options, [](const CLI::Option* option) { return option->get_group().empty(); });
  return options;
}

std::vector<const CLI::App*> commandsOf(const CLI::App& app) { return app.get_subcommands({}); }

bool takesValue(const CLI::Option& option) {
  return option.get_type_size() != 0 && !option.get_type_name().empty();
}

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

void addDocumentation(CLI::App& app) {
  const auto printed = [&app](const char* option, std::string (*text)(const CLI::App&)) {
    app.add_flag_callback(option, [&app, text] { throw CLI::CallForVersion(text(app), 0); })
        ->group("");
  };
  printed("--man", manPage);
  printed("--bash-completion", bashCompletion);
  printed("--zsh-completion", zshCompletion);
  printed("--fish-completion", fishCompletion);
}

}  // namespace adamerge::cli
