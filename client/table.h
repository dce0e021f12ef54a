#ifndef CONTACTS_CLIENT_TABLE_H_
#define CONTACTS_CLIENT_TABLE_H_

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace contacts::client {

// How text stands out where colours are wanted.
enum class Style { kPlain, kBold, kGood, kBad, kWaiting };

// `text` in `style`, or as it is without `colour`.
std::string Styled(absl::string_view text, Style style, bool colour);

// Text of a table in its style.
struct Cell {
  // Implicit, so that a row reads as a list of texts.
  Cell(std::string cell_text,
       Style cell_style = Style::kPlain)  // NOLINT(google-explicit-constructor)
      : text(std::move(cell_text)), style(cell_style) {}

  std::string text;
  Style style;
};

// Rows under a header, in aligned columns. Cells are made printable; columns
// that are empty in every row are left out.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}

  // Adds a row of as many cells as the header has.
  void Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

  // Prints nothing where there is no row.
  void Print(std::ostream& out, bool colour) const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<Cell>> rows_;
};

// Prints one line for each name and value whose value is not empty, the values
// aligned.
void PrintFields(const std::vector<std::pair<std::string, Cell>>& fields, std::ostream& out,
                 bool colour);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_TABLE_H_
