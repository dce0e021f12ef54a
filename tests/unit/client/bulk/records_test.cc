#include "client/bulk/records.h"

#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/bulk/csv_reader.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace contacts::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Row = std::vector<std::string>;

std::vector<Row> Rows(const std::string& text) {
  std::istringstream in(text);
  CsvReader reader(in);
  std::vector<Row> rows;
  for (Row row; reader.Next(row);) {
    if (!reader.error().empty()) row = {absl::StrCat(reader.line(), ": ", reader.error())};
    rows.push_back(row);
  }
  return rows;
}

TEST(Csv, ReadsCellsWithCommasQuotesAndLineBreaks) {
  EXPECT_THAT(
      Rows("a,b\r\n\"1,5\",\"say \"\"hi\"\"\"\n\"two\nlines\",\n,\n"),
      ElementsAre(Row{"a", "b"}, Row{"1,5", "say \"hi\""}, Row{"two\nlines", ""}, Row{"", ""}));
}

TEST(Csv, LeavesOutEmptyRowsTakesAByteOrderMarkAndNeedsNoLastLineBreak) {
  EXPECT_THAT(Rows("\xef\xbb\xbfid\n\n\r\nx\n\ny"), ElementsAre(Row{"id"}, Row{"x"}, Row{"y"}));
  EXPECT_THAT(Rows(""), IsEmpty());
  EXPECT_THAT(Rows("\"\""), ElementsAre(Row{""}));
}

TEST(Csv, NamesTheLineOfAMisplacedQuoteAndGoesOn) {
  EXPECT_THAT(
      Rows("a\nb\"c\n\"d\"e\nf\n"),
      ElementsAre(
          Row{"a"}, Row{"2: a quote inside a cell without quotes, or text after a closing quote"},
          Row{"3: a quote inside a cell without quotes, or text after a closing quote"}, Row{"f"}));
  EXPECT_THAT(Rows("a\n\"b\nc"),
              ElementsAre(Row{"a"}, Row{"2: a quote is opened and never closed"}));
}

TEST(Csv, KeepsEveryCharacterOfACell) {
  const std::vector<Row> rows = {{"a", ""}, {"1,5", "\""}, {"x\ny", "\r"}, {" b ", "é"}};
  EXPECT_EQ(Rows("a,\n\"1,5\",\"\"\"\"\n\"x\ny\",\"\r\"\n b ,é\n"), rows);
}

// "LINE: the error", or "LINE: the record in the debugging form".
std::vector<std::string> Read(const std::string& text, RecordFormat format) {
  std::istringstream in(text);
  const auto reader = ReadRecords(in, format);
  std::vector<std::string> records;
  while (const auto record = reader->Next()) {
    records.push_back(
        absl::StrCat(record->line, ": ",
                     record->error.empty() ? record->request.ShortDebugString() : record->error));
  }
  return records;
}

TEST(JsonLines, ReadsOneRecordALine) {
  EXPECT_THAT(
      Read("{\"account\": {\"id\": \"aa1-ovh\", \"billing_standing\": "
           "\"BILLING_STANDING_OVERDUE\"}}\r\n"
           "\n"
           "{\"service\": {\"id\": \"a\", \"owner\": {\"address_lines\": [\"x\", \"y\"]}, "
           "\"tech\": null}}",
           RecordFormat::kJsonLines),
      ElementsAre("1: account { id: \"aa1-ovh\" billing_standing: BILLING_STANDING_OVERDUE }",
                  "3: service { id: \"a\" owner { address_lines: \"x\" address_lines: \"y\" } }"));
}

TEST(JsonLines, TakesTheServersOwnFieldsAlong) {
  EXPECT_THAT(Read(R"({"account":{"id":"x","etag":"v1","create_time":"2026-01-01T00:00:00Z"}})",
                   RecordFormat::kJsonLines),
              ElementsAre("1: account { id: \"x\" etag: \"v1\" }"));
}

TEST(JsonLines, SaysWhatIsWrongWithALineAndGoesOn) {
  EXPECT_THAT(Read("{\n"
                   "[]\n"
                   "{}\n"
                   "{\"account\": {\"mail\": \"x\"}}\n"
                   "{\"account\": {\"email\": 1}}\n"
                   "{\"account\": {\"billing_standing\": \"LATE\"}}\n"
                   "{\"service\": {\"owner\": {\"address_lines\": \"x\"}}}\n"
                   "{\"account\": {\"email\": \"\xff\"}}\n"
                   "{\"account\": {\"id\": \"good\"}}\n",
                   RecordFormat::kJsonLines),
              ElementsAre("1: no JSON object in UTF-8", "2: want a JSON object",
                          "3: want {\"account\": {...}} or {\"service\": {...}}",
                          "4: account.mail: there is no such field",
                          "5: account.email: want text in quotes",
                          "6: account.billing_standing: \"LATE\"; want BILLING_STANDING_UP_TO_DATE "
                          "or BILLING_STANDING_OVERDUE",
                          "7: service.owner.address_lines: want a list",
                          "8: no JSON object in UTF-8", "9: account { id: \"good\" }"));
}

TEST(JsonLines, NamesEveryWrongFieldOfALine) {
  EXPECT_THAT(
      Read("{\"account\": {\"mail\": \"x\", \"email\": 1, \"billing_standing\": \"LATE\"}}\n"
           "{\"service\": {\"id\": \"a\", \"owner\": {\"city\": 1, \"country\": \"FR\"}}}\n",
           RecordFormat::kJsonLines),
      ElementsAre("1: account.billing_standing: \"LATE\"; want BILLING_STANDING_UP_TO_DATE or "
                  "BILLING_STANDING_OVERDUE; "
                  "account.email: want text in quotes; account.mail: there is no such field",
                  "2: service.owner.city: want text in quotes; "
                  "service.owner.country: there is no such field"));
}

TEST(JsonLines, RefusesANameGivenTwice) {
  EXPECT_THAT(Read("{\"account\": {\"id\": \"aa1-ovh\", \"id\": \"aa2-ovh\"}}\n"
                   "{\"account\": {\"id\": \"a\"}, \"account\": {\"id\": \"b\"}}\n"
                   "{\"service\": {\"id\": \"a\", \"owner\": {\"name\": \"id\"}}}\n",
                   RecordFormat::kJsonLines),
              ElementsAre("1: id: given twice", "2: account: given twice",
                          "3: service { id: \"a\" owner { name: \"id\" } }"));
}

TEST(CsvRecords, NamesEveryWrongCellOfARow) {
  EXPECT_THAT(Read("type,id,kind,admin\naccount,a,domain,b\n", RecordFormat::kCsv),
              ElementsAre("2: kind: a record of this type has no such field; "
                          "admin: a record of this type has no such field"));
}

TEST(CsvRecords, ReadsNothingBelowAHeaderWithAColumnTwice) {
  EXPECT_THAT(Read("type,id,id\naccount,a,b\n", RecordFormat::kCsv),
              ElementsAre(HasSubstr("two columns \"id\"")));
}

TEST(CsvRecords, ReadsColumnsInAnyOrder) {
  EXPECT_THAT(Read("email,type,id\na@x.example,account,aa1-ovh\n", RecordFormat::kCsv),
              ElementsAre("2: account { id: \"aa1-ovh\" email: \"a@x.example\" }"));
  EXPECT_THAT(Read("type,id,admin\nservice,a.example,aa1-ovh\n", RecordFormat::kCsv),
              ElementsAre("2: service { id: \"a.example\" admin: \"aa1-ovh\" }"));
}

TEST(CsvRecords, KeepsTheOwnerOnlyWhereNoColumnSpeaksOfIt) {
  EXPECT_THAT(Read("type,id,owner_name,owner_address_lines\nservice,a,,\nservice,b,N,\"1\n2\"\n"
                   "account,c,,\n",
                   RecordFormat::kCsv),
              ElementsAre("2: service { id: \"a\" owner { } }",
                          "3: service { id: \"b\" owner { name: \"N\" address_lines: \"1\" "
                          "address_lines: \"2\" } }",
                          "5: account { id: \"c\" }"));
}

TEST(CsvRecords, SaysWhatIsWrongWithARowAndGoesOn) {
  EXPECT_THAT(
      Read("type,id,kind\naccount,a,domain\nbox,b,\nservice,c\nservice,\xff,\nservice,d,vps\n",
           RecordFormat::kCsv),
      ElementsAre("2: kind: a record of this type has no such field",
                  "3: type: \"box\"; want account or service", "4: 2 cells; want 3",
                  "5: id: not UTF-8", "6: service { id: \"d\" kind: \"vps\" }"));
}

TEST(CsvRecords, ReadsNothingBelowAHeaderThatItDoesNotKnow) {
  EXPECT_THAT(Read("type,id,phone\naccount,a,\n", RecordFormat::kCsv),
              ElementsAre(HasSubstr("no column \"phone\"")));
  EXPECT_THAT(Read("id,email\na,b\n", RecordFormat::kCsv), ElementsAre(HasSubstr("called type")));
}

// An account and a service whose every field has a value of its own, so that a field that is added
// to the contract cannot be forgotten.
v1::Account FullAccount() {
  v1::Account account;
  account.set_id("aa1-ovh");
  account.set_email("a@x.example");
  account.set_language_code("fr");
  account.set_billing_standing(v1::BILLING_STANDING_OVERDUE);
  return account;
}

std::string OwnerText(const google::protobuf::FieldDescriptor& field) {
  return absl::StrCat("\"", field.name(), "\", é");
}

v1::Service FullService() {
  v1::Service service;
  service.set_id("a.example");
  service.set_kind("domain");
  service.set_admin("aa1-ovh");
  service.set_tech("aa2-ovh");
  service.set_billing("aa3-ovh");
  v1::Owner& owner = *service.mutable_owner();
  for (int i = 0; i < v1::Owner::descriptor()->field_count(); ++i) {
    const auto* field = v1::Owner::descriptor()->field(i);
    if (field->is_repeated()) {
      owner.GetReflection()->AddString(&owner, field, OwnerText(*field));
      owner.GetReflection()->AddString(&owner, field, "more");
    } else {
      owner.GetReflection()->SetString(&owner, field, OwnerText(*field));
    }
  }
  return service;
}

void ExpectFullRecords(std::istream& file, RecordFormat format) {
  const auto reader = ReadRecords(file, format);
  const auto first = reader->Next();
  const auto second = reader->Next();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->error + second->error, "");
  using google::protobuf::util::MessageDifferencer;
  EXPECT_TRUE(MessageDifferencer::Equals(first->request.account(), FullAccount()))
      << first->request.DebugString();
  EXPECT_TRUE(MessageDifferencer::Equals(second->request.service(), FullService()))
      << second->request.DebugString();
  EXPECT_FALSE(reader->Next());
}

TEST(JsonLines, AreReadAsTheyWereWritten) {
  v1::Account account = FullAccount();
  account.set_etag("v1");
  account.mutable_create_time()->set_seconds(1);
  std::stringstream file;
  WriteRecord(account, file);
  WriteRecord(FullService(), file);
  ExpectFullRecords(file, RecordFormat::kJsonLines);
}

TEST(CsvRecords, HaveEveryField) {
  std::string header = "type,id,email,language_code,billing_standing,kind,admin,tech,billing";
  std::string account = "account,aa1-ovh,a@x.example,fr,BILLING_STANDING_OVERDUE,,,,";
  std::string service = "service,a.example,,,,domain,aa1-ovh,aa2-ovh,aa3-ovh";
  for (int i = 0; i < v1::Owner::descriptor()->field_count(); ++i) {
    const auto* field = v1::Owner::descriptor()->field(i);
    absl::StrAppend(&header, ",owner_", field->name());
    absl::StrAppend(&account, ",");
    absl::StrAppend(&service, ",\"", absl::StrReplaceAll(OwnerText(*field), {{"\"", "\"\""}}),
                    field->is_repeated() ? "\nmore" : "", "\"");
  }
  std::istringstream file(absl::StrCat(header, "\n", account, "\n", service, "\n"));
  ExpectFullRecords(file, RecordFormat::kCsv);
}

}  // namespace
}  // namespace contacts::client
