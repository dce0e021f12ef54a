#ifndef CONTACTS_CLIENT_CSV_H_
#define CONTACTS_CLIENT_CSV_H_

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace contacts::client {

// Reads comma-separated values as RFC 4180 has them: cells in double quotes may hold
// commas, line breaks and, doubled, quotes. Takes LF for CR LF too, and a byte order
// mark at the beginning.
class CsvReader {
 public:
  // `in` must outlive it.
  explicit CsvReader(std::istream& in);

  // Reads the next row; false at the end. Rows of nothing are left out.
  bool Next(std::vector<std::string>& cells);

  // Line on which the row read last begins, from 1.
  int64_t line() const { return line_; }
  // Bytes read so far.
  int64_t offset() const { return offset_; }
  // What is wrong with the row read last; empty for nothing.
  const std::string& error() const { return error_; }

 private:
  int Take();
  void ReadQuoted(std::string& cell);

  std::streambuf& in_;
  int64_t offset_ = 0;
  int64_t line_ = 0;
  int64_t next_line_ = 1;
  std::string error_;
};

// Writes one row, CR LF left to LF.
std::string CsvRow(const std::vector<std::string>& cells);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CSV_H_
