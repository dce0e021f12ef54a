#ifndef CONTACTS_CLIENT_CTL_TABLE_H_
#define CONTACTS_CLIENT_CTL_TABLE_H_

#include <cstddef>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace contacts::client {

// How text is highlighted where colours are wanted.
enum class Style { kPlain, kBold, kGood, kBad, kWaiting };

// `text` in `style`; unchanged without `colour`.
std::string Styled(absl::string_view text, Style style, bool colour);

// The text of one cell, in its style.
struct Cell {
  // Implicit, so that a row can be written as a list of strings.
  Cell(std::string cell_text,
       Style cell_style = Style::kPlain)  // NOLINT(google-explicit-constructor)
      : text(std::move(cell_text)), style(cell_style) {}

  std::string text;
  Style style;
};

// Rows below a header, in aligned columns. Cells are made printable. A column that is empty in
// every row is left out.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}

  // Adds a row of as many cells as the header has.
  void Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

  // Prints the table; nothing if it has no row. If a line would be longer than `width` columns
  // (0: no limit), prints each row as PrintFields does, with an empty line between rows: nothing is
  // cut off, so that ids can be copied.
  void Print(std::ostream& out, bool colour, std::size_t width) const;

 private:
  void PrintRowsAsFields(const std::vector<std::vector<Cell>>& rows, std::ostream& out, bool colour,
                         std::size_t width) const;

  std::vector<std::string> header_;
  std::vector<std::vector<Cell>> rows_;
};

// Prints a line for each name and value, without those whose value is empty. Values are aligned,
// and wrapped at spaces to lines of `width` columns (0: no limit); a longer word stays whole.
void PrintFields(const std::vector<std::pair<std::string, Cell>>& fields, std::ostream& out,
                 bool colour, std::size_t width);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CTL_TABLE_H_
