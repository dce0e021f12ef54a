#include "client/bulk/csv_reader.h"

#include "absl/strings/string_view.h"

namespace contacts::client {
namespace {

constexpr int kEnd = std::char_traits<char>::eof();
constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

CsvReader::CsvReader(std::istream& in) : in_(*in.rdbuf()) {
  for (const char c : kByteOrderMark) {
    if (in_.sgetc() != std::char_traits<char>::to_int_type(c)) break;
    Take();
  }
}

int CsvReader::Take() {
  const int c = in_.sbumpc();
  if (c != kEnd) ++offset_;
  if (c == '\n') ++next_line_;
  return c;
}

// Reads the rest of a cell whose opening quote was read, with its closing quote.
void CsvReader::ReadQuoted(std::string& cell) {
  for (;;) {
    const int c = Take();
    if (c == kEnd) {
      error_ = "a quote is opened and never closed";
      return;
    }
    if (c == '"') {
      if (in_.sgetc() != '"') return;
      Take();
    }
    cell += static_cast<char>(c);
  }
}

bool CsvReader::Next(std::vector<std::string>& cells) {
  for (;;) {
    cells.assign(1, "");
    error_.clear();
    line_ = next_line_;
    bool any = false;
    bool closed = false;  // The cell was quoted and has ended.
    for (;;) {
      const int c = Take();
      if (c == kEnd || c == '\n') {
        if (any) return true;
        if (c == kEnd) return false;
        break;
      }
      if (c == '\r' && (in_.sgetc() == '\n' || in_.sgetc() == kEnd)) continue;
      any = true;
      if (c == ',') {
        cells.emplace_back();
        closed = false;
      } else if (c == '"' && cells.back().empty() && !closed) {
        ReadQuoted(cells.back());
        closed = true;
      } else {
        if (closed || c == '"')
          error_ = "a quote inside a cell without quotes, or text after a closing quote";
        cells.back() += static_cast<char>(c);
      }
    }
  }
}

}  // namespace contacts::client
