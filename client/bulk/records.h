#ifndef CONTACTS_CLIENT_BULK_RECORDS_H_
#define CONTACTS_CLIENT_BULK_RECORDS_H_

#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "contacts/v1/directory_service.pb.h"

// Files of accounts and services.
namespace contacts::client {

enum class RecordFormat {
  // One JSON object a line: {"account": {...}} or {"service": {...}}, with the contract's names.
  kJsonLines,
  // A row of column names, then one row a record. Column "type" is "account" or "service"; the
  // owner's fields are in the columns owner_name and so on, with all lines of the address in one
  // cell. An empty cell leaves its field out.
  kCsv,
};

// One record of a file.
struct FileRecord {
  int64_t line = 0;    // On which it begins, from 1.
  int64_t offset = 0;  // Bytes of the file up to its end.
  v1::ImportDirectoryRequest request;
  std::string error;  // "FIELD: what was wanted" for each wrong field. Empty: it is valid.
};

// Reads a file from beginning to end.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // Returns the next record, also one that is wrong; nothing at the end.
  virtual std::optional<FileRecord> Next() = 0;
  // Whether more can be read without waiting.
  bool HasMore() { return in_.rdbuf()->in_avail() > 0; }

 protected:
  explicit RecordReader(std::istream& in) : in_(in) {}
  std::istream& in_;
};

// Returns a reader of `in`, which must outlive it.
std::unique_ptr<RecordReader> ReadRecords(std::istream& in, RecordFormat format);

// Write one record as a line of JSON that a reader of kJsonLines reads, without the fields that
// only the server sets. Set `out`'s failbit if a field is not UTF-8.
void WriteRecord(v1::Account account, std::ostream& out);
void WriteRecord(v1::Service service, std::ostream& out);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_BULK_RECORDS_H_
