#ifndef CONTACTS_SERVER_CONFIG_FLAGS_H_
#define CONTACTS_SERVER_CONFIG_FLAGS_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/messages/forms.h"
#include "server/support/reloaded_file.h"

namespace contacts::server {

inline constexpr absl::Duration kDay = absl::Hours(24);

// Ends the parsing: CLI11 reports the flag and the reason.
[[noreturn]] inline void RejectFlag(const std::string& flag, const std::string& why) {
  throw CLI::ValidationError(absl::StrCat("--", flag), why);
}

// The text of a file that a flag names. Ends the parsing if it could not be read.
inline std::string TextOrReject(const std::string& flag, absl::StatusOr<std::string> text) {
  if (!text.ok()) RejectFlag(flag, std::string(text.status().message()));
  return *std::move(text);
}

// The password in a file that a flag names, without the space at its end. Ends the parsing as
// TextOrReject does.
inline std::string PasswordOrReject(const std::string& flag, const std::string& path) {
  return std::string(absl::StripTrailingAsciiWhitespace(TextOrReject(flag, ReadSecretFile(path))));
}

// Parses a duration such as 30s, 5m or 7d. Returns nullopt if it is malformed.
inline std::optional<absl::Duration> ParseDuration(const std::string& text) {
  absl::Duration duration;
  double days = 0;
  if (absl::EndsWith(text, "d") && absl::SimpleAtod(text.substr(0, text.size() - 1), &days)) {
    return days * kDay;
  }
  if (absl::ParseDuration(text, &duration)) return duration;
  return std::nullopt;
}

// Adds flags to CLI11. Each flag is also an environment variable CONTACTS_<NAME>. The values must
// outlive the parsing.
class Flags {
 public:
  explicit Flags(CLI::App* app) : app_(app) {}

  // The flags added from now on are listed under `name` in the help.
  void Group(std::string name) { group_ = std::move(name); }

  // The value may be empty only if the default is.
  void String(const std::string& name, std::string* value, const std::string& help) {
    const bool may_be_empty = value->empty();
    Named(app_->add_option("--" + name, *value, help)
              ->capture_default_str()
              ->check([may_be_empty](const std::string& text) {
                return text.empty() && !may_be_empty ? "empty; want a value" : "";
              }),
          name);
  }

  void Switch(const std::string& name, bool* value, const std::string& help) {
    Named(app_->add_flag("--" + name, *value, help), name);
  }

  // The value is "true" if the flag has none.
  void Optional(const std::string& name, std::string* value, const std::string& help) {
    Named(app_->add_flag("--" + name, *value, help), name);
  }

  // A file that holds more flags.
  void File(const std::string& name, const std::string& help) {
    // CLI11 reads the environment after the file.
    const char* const given =
        std::getenv(("CONTACTS_" + Upper(name)).c_str());  // NOLINT(concurrency-mt-unsafe)
    const std::string initial = given == nullptr ? "" : given;
    app_->allow_config_extras(CLI::config_extras_mode::error);  // Else they would be ignored.
    // Values are taken as they are: commas, brackets and # have no meaning within a line.
    constexpr char kNever = '\x1f';
    app_->get_config_formatter_base()
        ->arrayDelimiter(kNever)
        ->arrayBounds(kNever, kNever)
        ->comment(kNever);
    Named(app_->set_config("--" + name, initial, help, !initial.empty())->type_name("TEXT"), name);
  }

  void Duration(const std::string& name, absl::Duration* value, absl::Duration least,
                absl::Duration most, const std::string& help) {
    const std::string wanted = absl::StrCat("want ", absl::FormatDuration(least), " to ",
                                            absl::FormatDuration(most), ", such as 30s, 5m, 7d");
    Parsed(name, WithRange(help, absl::FormatDuration(least), absl::FormatDuration(most)),
           absl::FormatDuration(*value), [=](const std::string& text) {
             const auto parsed = ParseDuration(text);
             if (!parsed || *parsed < least || *parsed > most) {
               RejectFlag(name, absl::StrCat(Echo(text), "; ", wanted));
             }
             *value = *parsed;
           });
  }

  void Count(const std::string& name, int64_t* value, int64_t least, int64_t most,
             const std::string& help) {
    Parsed(name, WithRange(help, absl::StrCat(least), absl::StrCat(most)), absl::StrCat(*value),
           [=](const std::string& text) {
             int64_t parsed = 0;
             if (!absl::SimpleAtoi(text, &parsed) || parsed < least || parsed > most) {
               RejectFlag(name, absl::StrCat(Echo(text), "; want ", least, " to ", most));
             }
             *value = parsed;
           });
  }

 private:
  void Parsed(const std::string& name, const std::string& help, const std::string& initial,
              const std::function<void(const std::string&)>& parse) {
    Named(app_->add_option_function<std::string>("--" + name, parse, help)->default_str(initial),
          name);
  }

  static std::string WithRange(const std::string& help, const std::string& least,
                               const std::string& most) {
    return absl::StrCat(help, " (", least, " to ", most, ")");
  }

  void Named(CLI::Option* option, const std::string& name) const {
    option->envname("CONTACTS_" + Upper(name))->group(group_);
  }

  CLI::App* const app_;
  std::string group_ = "Options";
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CONFIG_FLAGS_H_
