#include "core/letter/catalogue.h"

#include <unicode/datefmt.h>
#include <unicode/dtptngen.h>
#include <unicode/listformatter.h>
#include <unicode/numfmt.h>
#include <unicode/smpdtfmt.h>

#include <algorithm>
#include <boost/locale/gnu_gettext.hpp>
#include <boost/locale/message.hpp>
#include <cstring>
#include <exception>

#include "absl/strings/str_cat.h"
#include "core/letter/mo_file.h"

namespace contacts {
namespace {

std::string Utf8(const icu::UnicodeString& text) {
  std::string utf8;
  text.toUTF8String(utf8);
  return utf8;
}

}  // namespace

// ICU's objects are const here, and ICU's const functions are thread safe.
struct Catalogue::Formats {
  std::unique_ptr<icu::DateFormat> date;
  std::unique_ptr<icu::NumberFormat> number;
  std::unique_ptr<icu::ListFormatter> list;
};

Catalogue::Catalogue(std::string tag, const std::locale& messages, bool translated)
    : tag_(std::move(tag)), messages_(messages), translated_(translated) {}
Catalogue::~Catalogue() = default;
Catalogue::Catalogue(Catalogue&&) noexcept = default;
Catalogue& Catalogue::operator=(Catalogue&&) noexcept = default;

absl::StatusOr<Catalogue> Catalogue::English() {
  return Formatted(Catalogue("en", std::locale::classic(), /*translated=*/false));
}

absl::StatusOr<Catalogue> Catalogue::Make(const std::string& tag, const std::string& mo) {
  namespace gettext = boost::locale::gnu_gettext;
  const absl::StatusOr<std::string> checked = CheckedMoFile(mo);
  if (!checked.ok()) return checked.status();
  gettext::messages_info info;
  info.language = "any";
  info.encoding = "UTF-8";
  info.domains.emplace_back("contacts");
  info.paths.emplace_back("");
  info.callback = [&](const std::string&, const std::string&) {
    return std::vector<char>(checked->begin(), checked->end());
  };
  try {
    return Formatted(Catalogue(
        tag, std::locale(std::locale::classic(), gettext::create_messages_facet<char>(info)),
        /*translated=*/true));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("not a catalogue that msgfmt made: ", error.what()));
  }
}

absl::StatusOr<Catalogue> Catalogue::Formatted(Catalogue catalogue) {
  const std::string& tag = catalogue.tag_;
  // ICU's "en" is American.
  const icu::Locale locale = icu::Locale::createCanonical(tag == "en" ? "en_GB" : tag.c_str());
  // ICU would take the machine's own language for one that it does not know.
  int32_t count = 0;
  const icu::Locale* const known = icu::Locale::getAvailableLocales(count);
  if (std::none_of(known, known + count, [&](const icu::Locale& one) {
        return std::strcmp(one.getLanguage(), locale.getLanguage()) == 0;
      })) {
    return absl::InvalidArgumentError(absl::StrCat("ICU does not know the language ", tag));
  }
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<icu::DateTimePatternGenerator> patterns(
      icu::DateTimePatternGenerator::createInstance(locale, error));
  auto formats = std::make_unique<Formats>();
  if (U_SUCCESS(error)) {
    formats->date = std::make_unique<icu::SimpleDateFormat>(
        patterns->getBestPattern("yMMMMEEEEdHmz", error), locale, error);
    formats->date->adoptTimeZone(icu::TimeZone::createTimeZone("Etc/UTC"));
  }
  formats->number.reset(icu::NumberFormat::createInstance(locale, error));
  formats->list.reset(icu::ListFormatter::createInstance(locale, error));
  if (U_FAILURE(error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("ICU does not know the language ", tag, ": ", u_errorName(error)));
  }
  catalogue.formats_ = std::move(formats);
  return catalogue;
}

const char* Catalogue::Find(const Message& message) const {
  if (!translated_) return nullptr;
  const auto& facet = std::use_facet<boost::locale::message_format<char>>(messages_);
  return message.many == nullptr
             ? facet.get(0, nullptr, message.id)
             : facet.get(0, nullptr, message.id, static_cast<int>(message.count));
}

std::vector<Part> Catalogue::Parts(const Message& message) const {
  const char* format = Find(message);
  if (format == nullptr && missing_ != nullptr && translated_) missing_->insert(message.id);
  if (format == nullptr) {
    format = message.many != nullptr && message.count != 1 ? message.many : message.id;
  }
  std::vector<Part> parts;
  SplitAtNames(
      format, [&](absl::string_view own) { parts.push_back({.text = std::string(own)}); },
      [&](absl::string_view name) {
        for (const auto& [known, value] : message.values) {
          if (known == name) parts.push_back({.text = value, .is_value = true});
        }
      });
  return parts;
}

std::string Catalogue::Text(const Message& message) const {
  std::string text;
  for (const Part& part : Parts(message)) text += part.text;
  return text;
}

std::string Catalogue::Date(absl::Time time) const {
  icu::UnicodeString text;
  return Utf8(formats_->date->format(static_cast<UDate>(absl::ToUnixMillis(time)), text));
}

std::string Catalogue::Number(int64_t number) const {
  icu::UnicodeString text;
  return Utf8(formats_->number->format(number, text));
}

std::string Catalogue::List(const std::vector<std::string>& items) const {
  std::vector<icu::UnicodeString> texts;
  for (const std::string& item : items) texts.push_back(icu::UnicodeString::fromUTF8(item));
  icu::UnicodeString list;
  UErrorCode error = U_ZERO_ERROR;
  return Utf8(
      formats_->list->format(texts.data(), static_cast<int32_t>(texts.size()), list, error));
}

}  // namespace contacts
