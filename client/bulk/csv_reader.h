#ifndef CONTACTS_CLIENT_BULK_CSV_READER_H_
#define CONTACTS_CLIENT_BULK_CSV_READER_H_

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace contacts::client {

// Reads comma-separated values by RFC 4180: a cell in double quotes may have commas, line breaks,
// and quotes written twice. A line may also end with LF alone; a byte order mark at the beginning
// is skipped.
class CsvReader {
 public:
  // `in` must outlive it.
  explicit CsvReader(std::istream& in);

  // Reads the next row into `cells`, also one that is wrong; returns false at the end. Skips empty
  // lines.
  bool Next(std::vector<std::string>& cells);

  // Line on which the latest row begins, from 1.
  int64_t line() const { return line_; }
  // Bytes read so far.
  int64_t offset() const { return offset_; }
  // The error of the latest row. Empty if the row is valid.
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

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_BULK_CSV_READER_H_
