#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/commands.h"
#include "client/import_run.h"
#include "client/progress.h"
#include "client/records.h"
#include "client/session.h"
#include "client/text.h"
#include "client/time_text.h"
#include "nlohmann/json.hpp"

// import and export: the whole directory as a file.
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

void PrintRejected(const ImportRun::Rejected& rejected, bool json, std::ostream& err) {
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

void PrintSummary(const ImportRun::State& state, const Advance& advance, bool json,
                  std::ostream& out) {
  if (json) {
    out << nlohmann::json({{"records", state.records},
                           {"rejected", state.rejected},
                           {"seconds", absl::ToDoubleSeconds(advance.elapsed)}})
               .dump()
        << '\n';
    return;
  }
  out << "Imported " << Grouped(state.records - state.rejected) << " records in "
      << InWords(advance.elapsed) << " (" << RateOf(advance) << "), rejected "
      << Grouped(state.rejected) << ".\n";
}

int Import(Session& session, const ImportInput& input) {
  std::ifstream file;
  const bool standard_input = input.file == "-";
  if (!standard_input) {
    file.open(input.file, std::ios::binary);
    if (!file) return session.UsageError(absl::StrCat("cannot open ", input.file));
  }
  const auto size = static_cast<double>(standard_input ? 0 : SizeOf(input.file));
  const auto reader = ReadRecords(standard_input ? session.in() : file, FormatOf(input));

  Progress progress(session.err(), session.terminal(), absl::Now);
  ImportRun::Options options;
  options.open = [&](grpc::ClientContext* context) {
    session.PrepareDirectoryCall(*context);
    return session.directory().ImportDirectory(context);
  };
  options.patience = session.timeout();
  options.pace = session.RealPace();
  options.pace.on_retry = [&progress, tell = options.pace.on_retry](absl::Duration wait) {
    progress.Clear();
    if (tell) tell(wait);
  };
  options.on_rejected = [&](const ImportRun::Rejected& rejected) {
    progress.Clear();
    PrintRejected(rejected, session.json(), session.err());
  };
  options.on_progress = [&](const ImportRun::State& state) {
    if (session.json()) return;
    progress.Show(state.records, size > 0 ? std::optional(static_cast<double>(state.offset) / size)
                                          : std::nullopt);
  };
  ImportRun run(reader.get(), std::move(options));
  const grpc::Status status = run.Run();
  progress.Clear();
  if (!status.ok()) {
    const std::string done = absl::StrCat("import all of the file: ", Grouped(run.state().records),
                                          " records were dealt with; importing it again does them"
                                          " no harm");
    return session.Fail(status, {.action = done}, /*by_operator=*/true);
  }
  PrintSummary(run.state(), progress.At(run.state().records), session.json(), session.out());
  const int written = session.Finish();
  return run.state().rejected > 0 ? kOtherFailure : written;
}

int Export(Session& session, const std::string& format) {
  RecordWriter writer(session.out(),
                      format == "csv" ? RecordFormat::kCsv : RecordFormat::kJsonLines);
  // Between the records of a file on the terminal, a bar would be in the way.
  Progress progress(session.err(), session.terminal() && !session.terminal_out(), absl::Now);
  v1::ExportDirectoryRequest request;
  request.set_page_size(kPageSize);
  int64_t records = 0;
  do {
    v1::ExportDirectoryResponse page;
    const grpc::Status status =
        session.Call(&v1::DirectoryService::Stub::ExportDirectory, request, Repeat::kSafe, page);
    if (!status.ok()) {
      progress.Clear();
      return session.Fail(status, {.action = "export the directory"}, /*by_operator=*/true);
    }
    for (v1::Account& account : *page.mutable_accounts()) writer.Write(std::move(account));
    for (v1::Service& service : *page.mutable_services()) writer.Write(std::move(service));
    records += page.accounts_size() + page.services_size();
    if (session.terminal() && !session.terminal_out()) progress.Show(records, std::nullopt);
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && session.out());
  progress.Clear();
  return session.Finish();
}

CLI::Option* AddFormat(CLI::App& command, std::string& format, const std::string& description) {
  return command.add_option("--format", format, description)
      ->check(CLI::IsMember({"jsonl", "csv"}))
      ->type_name("jsonl|csv");
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
      "billing_standing, kind, admin, tech, billing, owner_name …; `contactctl export\n"
      "--format=csv` shows them all. A broken connection is opened again and goes on from\n"
      "what was acknowledged, until nothing was for --timeout. Rejected records are listed\n"
      "on standard error; the exit status is 1 where there are any.");
  auto input = std::make_shared<ImportInput>();
  in.add_option("FILE", input->file, "JSON Lines or CSV; - is the standard input")
      ->required()
      ->type_name("");
  AddFormat(in, input->format, "Of the file; by default csv where its name ends so, else jsonl");
  Choose(in, chosen, [input](Session& session) { return Import(session, *input); });

  CLI::App& out = AddCommand(app, "export",
                             "Writes every account and service, as `contactctl import` takes them",
                             "contactctl export > directory.jsonl");
  auto format = std::make_shared<std::string>("jsonl");
  AddFormat(out, *format, "Of what is written")->capture_default_str();
  Choose(out, chosen, [format](Session& session) { return Export(session, *format); });
}

}  // namespace contacts::client
