#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "client/ctl/client.h"
#include "client/ctl/commands.h"
#include "client/ctl/print_errors.h"
#include "client/lib/terminal_text.h"
#include "core/letter/render.h"
#include "core/letter/samples.h"

namespace contacts::client {
namespace {

struct Preview {
  std::string kind;
  std::string language = "en";
  std::string templates;
  std::string brand;
};

const Sample* Find(const std::string& name) {
  const std::string kind = absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", "-"}});
  const auto& samples = Samples();
  const auto found = std::find_if(samples.begin(), samples.end(),
                                  [&](const Sample& sample) { return sample.name == kind; });
  return found == samples.end() ? nullptr : &*found;
}

std::string CheckKind(const std::string& name) {
  if (Find(name) != nullptr) return "";
  const auto append = [](std::string* out, const Sample& sample) { out->append(sample.name); };
  return absl::StrCat("\"", Printable(name), "\"; want ", absl::StrJoin(Samples(), ", ", append));
}

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  constexpr std::size_t kMaxSize = 1024 * 1024;  // As for contactsd.
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return absl::FailedPreconditionError(path + ": No such file or directory");
  }
  if (!std::filesystem::is_regular_file(path, error) ||
      std::filesystem::file_size(path, error) > kMaxSize) {
    return absl::FailedPreconditionError(path + ": want a file of at most 1 MiB");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::FailedPreconditionError(path + ": cannot be read");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::StatusOr<std::string> RenderPreview(const Preview& preview) {
  const auto files = ReadDesignFiles(preview.templates, preview.brand, ReadWhole);
  if (!files.ok()) return files.status();
  auto design = Design::Make(*files);
  if (!design.ok()) return design.status();
  const std::string language = absl::AsciiStrToLower(preview.language);
  const std::string& tag = (*design)->For(language).tag();
  if (tag == "en" && language.substr(0, 2) != "en") {
    return absl::InvalidArgumentError(absl::StrCat("--language: no catalogue for \"",
                                                   Printable(preview.language), "\"; want ",
                                                   absl::StrJoin((*design)->languages(), ", ")));
  }
  MailFacts facts = Find(preview.kind)->facts;
  facts.recipient.language = preview.language;
  const MailRenderer renderer({.from = "contacts@example.com",
                               .link_url = "https://example.com/contact-changes/"
                                           "{contact_change_id}?token={token}&answer={answer}",
                               .confirm_url = "https://example.com/confirm-email?token={token}"},
                              *std::move(design));
  const auto mail = renderer.Render(facts, absl::Now());
  if (!mail.ok()) return mail.status();
  return EncodeMime(*mail);
}

int ShowPreview(Client& client, const Preview& preview) {
  const absl::StatusOr<std::string> bytes = RenderPreview(preview);
  if (!bytes.ok()) {
    PrintError("WRONG_FILE", std::string(bytes.status().message()), kUsage, client.error_format(),
               client.err());
    return kUsage;
  }
  client.out() << *bytes;
  return client.Finish();
}

}  // namespace

void AddMailCommands(CLI::App& app, Action& chosen) {
  CLI::App& mail =
      AddCommand(app, "mail", "Shows e-mails of the service, without calling a server",
                 "contactctl mail preview --kind=validation --language=de >validation.eml");
  mail.require_subcommand(1);
  CLI::App& preview_command = AddCommand(
      mail, "preview",
      "Prints an e-mail with made-up facts, as the mail server would get it (RFC 5322)",
      "contactctl mail preview --kind=done --language=pl --mail-brand-file=brand.yaml >done.eml");
  auto preview = std::make_shared<Preview>();
  preview_command
      .add_option("--kind", preview->kind,
                  "What it tells, such as validation; a wrong one is answered with all of them")
      ->required()
      ->type_name("KIND")
      ->check(CheckKind);
  preview_command.add_option("--language", preview->language, "Language of its recipient")
      ->type_name("TAG")
      ->capture_default_str();
  preview_command
      .add_option("--mail-templates,--mail_templates", preview->templates,
                  "Directory of templates and catalogues, as contactsd has it")
      ->type_name("DIR");
  preview_command
      .add_option("--mail-brand-file,--mail_brand_file", preview->brand,
                  "Brand file, as contactsd has it")
      ->type_name("FILE");
  Choose(preview_command, chosen,
         [preview](Client& client) { return ShowPreview(client, *preview); });
}

}  // namespace contacts::client
