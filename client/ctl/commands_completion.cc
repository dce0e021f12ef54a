#include <memory>
#include <ostream>
#include <string>

#include "client/ctl/client.h"
#include "client/ctl/commands.h"
#include "client/ctl/completion.h"

namespace contacts::client {

void AddCompletionCommand(CLI::App& app, Action& chosen) {
  CLI::App& completion = AddCommand(
      app, "completion", "Prints a script by which a shell completes commands and options",
      "contactctl completion bash >/etc/bash_completion.d/contactctl\n"
      "  source <(contactctl completion zsh)\n"
      "  contactctl completion fish >~/.config/fish/completions/contactctl.fish");
  auto shell = std::make_shared<Shell>();
  completion.add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->type_name("")
      ->transform(CLI::Transformer(std::map<std::string, Shell>{
          {"bash", Shell::kBash}, {"zsh", Shell::kZsh}, {"fish", Shell::kFish}}));
  Choose(completion, chosen, [&app, shell](Client& client) {
    client.out() << CompletionScript(app, *shell);
    return client.Finish();
  });
}

}  // namespace contacts::client
