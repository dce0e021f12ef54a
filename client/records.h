#ifndef CONTACTS_CLIENT_RECORDS_H_
#define CONTACTS_CLIENT_RECORDS_H_

#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "contacts/v1/directory_service.pb.h"

// Files of accounts and services, as `contactctl import` takes and `contactctl export`
// gives them.
namespace contacts::client {

enum class RecordFormat {
  // One JSON object a line: {"account": {...}} or {"service": {...}}, with the
  // contract's names.
  kJsonLines,
  // A row a record below a row of column names. The column "type" says account or
  // service; an owner's details are in the columns owner_name and so on, the lines of
  // the address in one cell. A cell left empty leaves the field out.
  kCsv,
};

// One record of a file.
struct FileRecord {
  int64_t line = 0;    // On which it begins, from 1.
  int64_t offset = 0;  // Bytes of the file up to its end.
  v1::ImportDirectoryRequest request;
  std::string error;  // Why it cannot be read; empty for a good one.
};

// Reads a file from beginning to end.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // Returns nothing at the end.
  virtual std::optional<FileRecord> Next() = 0;
  // Whether there surely is more to read without waiting for it.
  bool HasMore() { return in_.rdbuf()->in_avail() > 0; }

 protected:
  explicit RecordReader(std::istream& in) : in_(in) {}
  std::istream& in_;
};

// `in` must outlive the reader.
std::unique_ptr<RecordReader> ReadRecords(std::istream& in, RecordFormat format);

// Writes a file.
class RecordWriter {
 public:
  // `out` must outlive it.
  RecordWriter(std::ostream& out, RecordFormat format);
  // Without what only the server sets.
  void Write(v1::Account account);
  void Write(v1::Service service);

 private:
  void WriteRecord(const v1::ImportDirectoryRequest& record);

  std::ostream& out_;
  const RecordFormat format_;
};

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_RECORDS_H_
