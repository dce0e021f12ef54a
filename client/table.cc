#include "client/table.h"

#include <algorithm>
#include <cstddef>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/text.h"

namespace contacts::client {
namespace {

constexpr std::size_t kGap = 2;

std::string Spaces(std::size_t wanted, std::size_t used) {
  return std::string(wanted > used ? wanted - used : 0, ' ');
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

void Table::Print(std::ostream& out, bool colour) const {
  // Text is cleaned first, so that the widths are those of what is shown.
  std::vector<std::vector<Cell>> rows = rows_;
  std::vector<std::size_t> widths(header_.size(), 0);
  for (std::vector<Cell>& row : rows) {
    for (std::size_t column = 0; column < widths.size(); ++column) {
      row[column].text = Printable(row[column].text);
      widths[column] = std::max(widths[column], DisplayWidth(row[column].text));
    }
  }
  std::vector<std::size_t> shown;
  for (std::size_t column = 0; column < widths.size(); ++column) {
    if (widths[column] > 0) shown.push_back(column);
  }
  if (shown.empty()) return;

  auto print_row = [&](const std::vector<Cell>& row) {
    // Gaps wait for the text that they lead to: no line ends in spaces.
    std::string gap;
    for (const std::size_t column : shown) {
      const Cell& cell = row[column];
      if (!cell.text.empty()) {
        out << gap << Styled(cell.text, cell.style, colour);
        gap.clear();
      }
      const std::size_t width = std::max(widths[column], DisplayWidth(header_[column])) + kGap;
      gap += Spaces(width, DisplayWidth(cell.text));
    }
    out << '\n';
  };

  std::vector<Cell> header;
  for (const std::string& title : header_) header.emplace_back(title, Style::kBold);
  print_row(header);
  for (const std::vector<Cell>& row : rows) print_row(row);
}

void PrintFields(const std::vector<std::pair<std::string, Cell>>& fields, std::ostream& out,
                 bool colour) {
  std::size_t width = 0;
  for (const auto& [name, cell] : fields) {
    if (!cell.text.empty()) width = std::max(width, DisplayWidth(name));
  }
  for (const auto& [name, cell] : fields) {
    if (cell.text.empty()) continue;
    out << Styled(name, Style::kBold, colour) << Spaces(width + kGap, DisplayWidth(name))
        << Styled(Printable(cell.text), cell.style, colour) << '\n';
  }
}

}  // namespace contacts::client
