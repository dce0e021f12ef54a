#include "client/ctl/table.h"

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "client/lib/terminal_text.h"

namespace contacts::client {
namespace {

constexpr std::size_t kGap = 2;

std::string Spaces(std::size_t wanted, std::size_t used) {
  return std::string(wanted > used ? wanted - used : 0, ' ');
}

// `text` as lines of `width` columns, broken at spaces (0: one line). A longer word is a line of
// its own.
std::vector<std::string> Wrapped(const std::string& text, std::size_t width) {
  if (width == 0) return {text};
  std::vector<std::string> lines;
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    if (lines.empty() || DisplayWidth(lines.back()) + 1 + DisplayWidth(word) > width) {
      lines.emplace_back(word);
    } else {
      absl::StrAppend(&lines.back(), " ", word);
    }
  }
  return lines;
}

}  // namespace

std::string Styled(absl::string_view text, Style style, bool colour) {
  if (!colour || style == Style::kPlain || text.empty()) return std::string(text);
  absl::string_view start;
  switch (style) {
    case Style::kPlain: break;
    case Style::kBold: start = "\033[1m"; break;
    case Style::kGood: start = "\033[32m"; break;
    case Style::kBad: start = "\033[31m"; break;
    case Style::kWaiting: start = "\033[33m"; break;
  }
  return absl::StrCat(start, text, "\033[0m");
}

void Table::Print(std::ostream& out, bool colour, std::size_t width) const {
  // Made printable first, so that widths are those of what is shown.
  std::vector<std::vector<Cell>> rows = rows_;
  std::vector<std::size_t> widths(header_.size(), 0);
  for (std::vector<Cell>& row : rows) {
    for (std::size_t column = 0; column < widths.size(); ++column) {
      row[column].text = Printable(row[column].text);
      widths[column] = std::max(widths[column], DisplayWidth(row[column].text));
    }
  }
  std::vector<std::size_t> shown;
  std::size_t needed = 0;
  for (std::size_t column = 0; column < widths.size(); ++column) {
    if (widths[column] == 0) continue;
    widths[column] = std::max(widths[column], DisplayWidth(header_[column]));
    needed += widths[column] + (shown.empty() ? 0 : kGap);
    shown.push_back(column);
  }
  if (shown.empty()) return;
  if (width > 0 && needed > width) {
    PrintRowsAsFields(rows, out, colour, width);
    return;
  }

  auto print_row = [&](const std::vector<Cell>& row) {
    // A gap is printed with the cell after it: no line ends in spaces.
    std::string gap;
    for (const std::size_t column : shown) {
      const Cell& cell = row[column];
      if (!cell.text.empty()) {
        out << gap << Styled(cell.text, cell.style, colour);
        gap.clear();
      }
      gap += Spaces(widths[column] + kGap, DisplayWidth(cell.text));
    }
    out << '\n';
  };

  std::vector<Cell> header;
  for (const std::string& title : header_) header.emplace_back(title, Style::kBold);
  print_row(header);
  for (const std::vector<Cell>& row : rows) print_row(row);
}

void Table::PrintRowsAsFields(const std::vector<std::vector<Cell>>& rows, std::ostream& out,
                              bool colour, std::size_t width) const {
  for (const std::vector<Cell>& row : rows) {
    if (&row != &rows.front()) out << '\n';
    std::vector<std::pair<std::string, Cell>> fields;
    for (std::size_t column = 0; column < row.size(); ++column) {
      fields.emplace_back(header_[column], row[column]);
    }
    PrintFields(fields, out, colour, width);
  }
}

void PrintFields(const std::vector<std::pair<std::string, Cell>>& fields, std::ostream& out,
                 bool colour, std::size_t width) {
  std::size_t indent = 0;
  for (const auto& [name, cell] : fields) {
    if (!cell.text.empty()) indent = std::max(indent, DisplayWidth(name) + kGap);
  }
  for (const auto& [name, cell] : fields) {
    if (cell.text.empty()) continue;
    out << Styled(name, Style::kBold, colour) << Spaces(indent, DisplayWidth(name));
    bool first = true;
    for (const std::string& line :
         Wrapped(Printable(cell.text), width > indent ? width - indent : 0)) {
      if (!std::exchange(first, false)) out << Spaces(indent, 0);
      out << Styled(line, cell.style, colour) << '\n';
    }
  }
}

}  // namespace contacts::client
