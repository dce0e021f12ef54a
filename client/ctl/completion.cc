#include "client/ctl/completion.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

// Each script goes through the words before the cursor to find the command, by the pairs
// "COMMAND/NEXT" of the tree, and then offers what the tree has there.
namespace contacts::client {
namespace {

struct Option {
  std::string name;  // Without its hyphens.
  std::string description;
  bool takes_value = false;
};

// A command of the tree, or the program itself.
struct Command {
  std::string path;  // "operator override"; empty for the program.
  std::string description;
  std::vector<std::string> commands;  // The names of its own commands.
  std::vector<Option> options;        // Its own.
};

// Adds `app` and everything below it, parents first.
void Collect(const CLI::App& app, const std::string& path, std::vector<Command>& commands) {
  Command command{.path = path, .description = app.get_description()};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty()) continue;  // An argument.
    const std::string& name = option->get_lnames().front();
    if (name == "help" && !path.empty()) continue;  // The program's own is offered everywhere.
    command.options.push_back(
        {name, option->get_description(), option->get_items_expected_max() > 0});
  }
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* child : below) command.commands.push_back(child->get_name());
  commands.push_back(std::move(command));
  for (const CLI::App* child : below) {
    Collect(*child, absl::StrCat(path, path.empty() ? "" : " ", child->get_name()), commands);
  }
}

// The pairs "COMMAND/NEXT" of the tree as quoted patterns.
std::string StepPatterns(const std::vector<Command>& commands, absl::string_view separator) {
  std::vector<std::string> patterns;
  for (const Command& command : commands) {
    for (const std::string& name : command.commands) {
      patterns.push_back(absl::StrCat("'", command.path, "/", name, "'"));
    }
  }
  return absl::StrJoin(patterns, separator);
}

// The body of the function for bash and zsh: `words` is an expression for the words between the
// program's name and the cursor. It leaves what may follow in `candidates`.
std::string FindCandidates(const std::vector<Command>& commands, absl::string_view words) {
  std::string script =
      absl::StrCat("  local command='' word\n  local -a candidates\n  for word in ", words,
                   "; do\n    case \"$command/$word\" in\n      ", StepPatterns(commands, " | "),
                   ")\n        command=\"${command:+$command }$word\" ;;\n    esac\n  done\n"
                   "  case \"$command\" in\n");
  for (const Command& command : commands) {
    std::vector<std::string> candidates = command.commands;
    for (const Option& option : command.options) {
      if (!command.path.empty()) candidates.push_back("--" + option.name);
    }
    absl::StrAppend(&script, "    '", command.path, "') candidates=(",
                    absl::StrJoin(candidates, " "), ") ;;\n");
  }
  std::vector<std::string> global;
  for (const Option& option : commands.front().options) global.push_back("--" + option.name);
  return absl::StrCat(script, "  esac\n  candidates+=(", absl::StrJoin(global, " "), ")\n");
}

std::string BashScript(const std::string& program, const std::vector<Command>& commands) {
  return absl::StrCat("# Completion of ", program, " for bash: source <(", program,
                      " completion bash)\n_", program, "() {\n",
                      FindCandidates(commands, "\"${COMP_WORDS[@]:1:COMP_CWORD-1}\""),
                      "  mapfile -t COMPREPLY < <(compgen -W \"${candidates[*]}\" -- "
                      "\"${COMP_WORDS[COMP_CWORD]}\")\n}\n"
                      "complete -o bashdefault -o default -F _",
                      program, " ", program, "\n");
}

std::string ZshScript(const std::string& program, const std::vector<Command>& commands) {
  return absl::StrCat("#compdef ", program, "\n# Completion of ", program, " for zsh: source <(",
                      program, " completion zsh)\n_", program, "() {\n",
                      FindCandidates(commands, "\"${(@)words[2,CURRENT-1]}\""),
                      "  compadd -a candidates || _files\n}\n"
                      "# Runs it if zsh has loaded this file as the function itself.\n"
                      "if [[ ${funcstack[1]} == _",
                      program, " ]]; then _", program, "; else compdef _", program, " ", program,
                      "; fi\n");
}

std::string FishQuoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string FishScript(const std::string& program, const std::vector<Command>& commands) {
  const std::string at = absl::StrCat("__", program, "_at");
  std::string script =
      absl::StrCat("# Completion of ", program, " for fish: ", program,
                   " completion fish | source\n", "function ", at,
                   "\n  set -l command ''\n  for word in (commandline -opc)[2..-1]\n"
                   "    switch \"$command/$word\"\n      case ",
                   StepPatterns(commands, " "),
                   "\n        set command (string trim -- \"$command $word\")\n    end\n  end\n"
                   "  test \"$command\" = \"$argv\"\nend\n");
  for (const Command& command : commands) {
    const bool global = command.path.empty();
    if (!global) {
      // Offered where its parent's name is the command so far.
      const std::size_t space = command.path.rfind(' ');
      const std::string parent = space == std::string::npos ? "" : command.path.substr(0, space);
      const std::string name = command.path.substr(space == std::string::npos ? 0 : space + 1);
      absl::StrAppend(&script, "complete -c ", program, " -n '", at, " ", parent, "' -a ", name,
                      " -d ", FishQuoted(command.description), "\n");
    }
    for (const Option& option : command.options) {
      absl::StrAppend(&script, "complete -c ", program,
                      global ? "" : absl::StrCat(" -n '", at, " ", command.path, "'"), " -l ",
                      option.name, option.takes_value ? " -r" : "", " -d ",
                      FishQuoted(option.description), "\n");
    }
  }
  return script;
}

}  // namespace

std::string CompletionScript(const CLI::App& app, Shell shell) {
  std::vector<Command> commands;
  Collect(app, "", commands);
  switch (shell) {
    case Shell::kBash: return BashScript(app.get_name(), commands);
    case Shell::kZsh: return ZshScript(app.get_name(), commands);
    case Shell::kFish: break;
  }
  return FishScript(app.get_name(), commands);
}

}  // namespace contacts::client
