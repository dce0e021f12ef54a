#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/bulk/importer.h"
#include "client/bulk/progress.h"
#include "client/bulk/records.h"
#include "client/ctl/client.h"
#include "client/ctl/commands.h"
#include "client/lib/terminal_text.h"
#include "client/lib/time_text.h"
#include "nlohmann/json.hpp"

namespace contacts::client {
namespace {

constexpr int kPageSize = 1000;

struct ImportInput {
  std::string file;
  std::string format;
};

RecordFormat FormatOf(const ImportInput& input) {
  const bool csv =
      input.format.empty() ? absl::EndsWith(input.file, ".csv") : input.format == "csv";
  return csv ? RecordFormat::kCsv : RecordFormat::kJsonLines;
}

// Bytes of a file; 0 for what has no size of its own.
int64_t SizeOf(const std::string& file) {
  std::error_code none;
  const auto size = std::filesystem::file_size(file, none);
  return none ? 0 : static_cast<int64_t>(size);
}

void PrintRejected(const Importer::RejectedRecord& rejected, bool json, std::ostream& err) {
  if (json) {
    const nlohmann::json line = {
        {"line", rejected.line},
        {"reason", rejected.reason.empty() ? "UNREADABLE" : rejected.reason},
        {"message", rejected.message}};
    err << nlohmann::json({{"rejection", line}})
               .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
        << '\n';
    return;
  }
  err << "contactctl: line " << rejected.line << " rejected: " << Printable(rejected.message);
  if (!rejected.reason.empty()) err << " [" << Printable(rejected.reason) << "]";
  err << '\n';
}

void PrintSummary(const Importer::Counts& counts, const ProgressState& progress, bool json,
                  std::ostream& out) {
  if (json) {
    out << nlohmann::json({{"records", counts.records},
                           {"rejected", counts.rejected},
                           {"seconds", absl::ToDoubleSeconds(progress.elapsed)}})
               .dump()
        << '\n';
    return;
  }
  out << "Imported " << Grouped(counts.records - counts.rejected) << " records in "
      << InWords(progress.elapsed) << " (" << RateOf(progress) << "), rejected "
      << Grouped(counts.rejected) << ".\n";
}

int Import(Client& client, const ImportInput& input) {
  std::ifstream file;
  const bool standard_input = input.file == "-";
  if (!standard_input) {
    file.open(input.file, std::ios::binary);
    if (!file) return client.UsageError(absl::StrCat("FILE: cannot open ", input.file));
  }
  const auto size = static_cast<double>(standard_input ? 0 : SizeOf(input.file));
  const auto reader = ReadRecords(standard_input ? client.in() : file, FormatOf(input));

  ProgressDisplay progress(client.err(), client.draws_progress(), absl::Now);
  Importer::Options options;
  options.open = [&](grpc::ClientContext* context) {
    client.PrepareDirectoryCall(*context);
    return client.directory().ImportDirectory(context);
  };
  options.patience = client.options().timeout;
  options.clock = client.retry_clock();
  options.clock.on_retry = [&progress, tell = options.clock.on_retry](absl::Duration wait) {
    progress.Clear();
    if (tell) tell(wait);
  };
  options.on_rejected = [&](const Importer::RejectedRecord& rejected) {
    progress.Clear();
    PrintRejected(rejected, client.options().json, client.err());
  };
  options.on_progress = [&](const Importer::Counts& counts) {
    if (client.options().json) return;
    progress.Show(counts.records, size > 0
                                      ? std::optional(static_cast<double>(counts.offset) / size)
                                      : std::nullopt);
  };
  Importer importer(reader.get(), std::move(options));
  const grpc::Status status = importer.Run();
  progress.Clear();
  if (!status.ok()) {
    const std::string done =
        absl::StrCat("import all of the file: ", Grouped(importer.counts().records),
                     " records were dealt with; importing it again does them"
                     " no harm");
    return client.Fail(status, {.action = done}, Speaker::kOperator);
  }
  PrintSummary(importer.counts(), progress.At(importer.counts().records), client.options().json,
               client.out());
  const int written = client.Finish();
  return importer.counts().rejected > 0 ? kOtherFailure : written;
}

int Export(Client& client) {
  // Without a bar where the records themselves are shown on the terminal.
  const bool draws = client.draws_progress() && !client.terminal_out();
  ProgressDisplay progress(client.err(), draws, absl::Now);
  v1::ExportDirectoryRequest request;
  request.set_page_size(kPageSize);
  int64_t records = 0;
  do {
    v1::ExportDirectoryResponse page;
    const grpc::Status status = client.Call(&v1::DirectoryService::Stub::ExportDirectory, request,
                                            Retry::kWhileUnavailable, page);
    if (!status.ok()) {
      progress.Clear();
      return client.Fail(status, {.action = "export the directory"}, Speaker::kOperator);
    }
    for (v1::Account& account : *page.mutable_accounts())
      WriteRecord(std::move(account), client.out());
    for (v1::Service& service : *page.mutable_services())
      WriteRecord(std::move(service), client.out());
    records += page.accounts_size() + page.services_size();
    if (draws) progress.Show(records, std::nullopt);
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && client.out());
  progress.Clear();
  return client.Finish();
}

}  // namespace

void AddImportCommands(CLI::App& app, Action& chosen) {
  CLI::App& in = AddCommand(
      app, "import", "Creates or updates accounts and services in bulk, as an operator",
      "contactctl import directory.jsonl, where a line is\n"
      "    {\"account\": {\"id\": \"aa111111-ovh\", \"email\": \"alice@example.com\"}} or\n"
      "    {\"service\": {\"id\": \"example.com\", \"kind\": \"domain\", \"admin\": "
      "\"aa111111-ovh\", …}}\n"
      "\n"
      "CSV has the columns type (account or service), id, email, language_code,\n"
      "billing_standing, kind, admin, tech, billing, and owner_name, owner_organisation …\n"
      "for the fields of an owner, in any order. A broken connection is opened again and\n"
      "the import goes on from the last acknowledgement. It gives up after --timeout without\n"
      "an acknowledgement. Rejected records are listed on standard error; the exit status is 1\n"
      "if there are any.");
  auto input = std::make_shared<ImportInput>();
  in.add_option("FILE", input->file, "JSON Lines or CSV; - is the standard input")
      ->required()
      ->type_name("");
  in.add_option("--format", input->format,
                "Format of the file; by default csv if its name ends with .csv, else jsonl")
      ->check(CLI::IsMember({"jsonl", "csv"}))
      ->type_name("jsonl|csv");
  Choose(in, chosen, [input](Client& client) { return Import(client, *input); });

  CLI::App& out = AddCommand(app, "export",
                             "Writes every account and service as JSON Lines, which import reads",
                             "contactctl export > directory.jsonl");
  Choose(out, chosen, Export);
}

}  // namespace contacts::client
