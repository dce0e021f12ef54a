#ifndef CONTACTS_TESTS_INTEGRATION_SERVER_INPUT_SPOILER_H_
#define CONTACTS_TESTS_INTEGRATION_SERVER_INPUT_SPOILER_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/server/input_cases.h"

namespace contacts::server {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// One request made bad in one place.
struct Attempt {
  std::string path;
  std::string what;
  std::unique_ptr<Message> request;
};

// Makes every bad request that a good one can be turned into.
class Spoiler {
 public:
  Spoiler(const Message& good, std::set<std::string> required)
      : request_(good.New()), required_(std::move(required)) {
    request_->CopyFrom(good);
    SpoilMessage(*request_, "");
    for (const std::string& path : required_) ADD_FAILURE() << "no such field: " << path;
  }

  std::vector<Attempt> Take() { return std::move(attempts_); }

 private:
  void SpoilMessage(Message& message, const std::string& prefix) {
    const Descriptor& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor* field = type.field(i);
      const std::string path = prefix + field->name();
      // An alternative that was not chosen has nothing to spoil.
      if (field->containing_oneof() != nullptr &&
          !message.GetReflection()->HasField(message, field)) {
        continue;
      }
      if (field->is_repeated()) SpoilList(message, field, path);
      const std::string name = absl::StrCat(type.name(), ".", field->name());
      if (kAlwaysGood.contains(name)) continue;
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING: SpoilText(message, field, name, path); break;
        case FieldDescriptor::CPPTYPE_INT32: SpoilNumber(message, field, path); break;
        case FieldDescriptor::CPPTYPE_ENUM: SpoilEnum(message, field, path); break;
        case FieldDescriptor::CPPTYPE_MESSAGE: SpoilChild(message, field, path); break;
        default: ADD_FAILURE() << "no bad values for " << name;
      }
    }
  }

  void SpoilText(Message& message, const FieldDescriptor* field, const std::string& name,
                 const std::string& path) {
    const auto bad = kBadTexts.find(name);
    ASSERT_NE(bad, kBadTexts.end()) << "no bad values for " << name;
    const auto& reflection = *message.GetReflection();
    for (const std::string& value : bad->second) {
      if (field->is_repeated()) {
        Try(message, path + "[0]", value,
            [&] { reflection.SetRepeatedString(&message, field, 0, value); });
      } else {
        Try(message, path, value, [&] { reflection.SetString(&message, field, value); });
      }
    }
    TryEmpty(message, field, path);
  }

  void SpoilNumber(Message& message, const FieldDescriptor* field, const std::string& path) {
    const auto bad = kBadNumbers.find(field->name());
    ASSERT_NE(bad, kBadNumbers.end()) << "no bad values for " << path;
    for (const int32_t value : bad->second) {
      Try(message, path, absl::StrCat(value),
          [&] { message.GetReflection()->SetInt32(&message, field, value); });
    }
  }

  void SpoilEnum(Message& message, const FieldDescriptor* field, const std::string& path) {
    const auto& reflection = *message.GetReflection();
    for (const int value : {-1, 99, std::numeric_limits<int>::max()}) {
      if (field->is_repeated()) {
        Try(message, path + "[0]", absl::StrCat(value),
            [&] { reflection.SetRepeatedEnumValue(&message, field, 0, value); });
      } else {
        Try(message, path, absl::StrCat(value),
            [&] { reflection.SetEnumValue(&message, field, value); });
      }
    }
    if (field->is_repeated()) {
      Try(message, path + "[0]", "unspecified",
          [&] { reflection.SetRepeatedEnumValue(&message, field, 0, 0); });
    }
    TryEmpty(message, field, path);
  }

  void SpoilChild(Message& message, const FieldDescriptor* field, const std::string& path) {
    const auto& reflection = *message.GetReflection();
    if (field->is_repeated()) {
      const int last = reflection.FieldSize(message, field) - 1;
      Message& item = *reflection.MutableRepeatedMessage(&message, field, last);
      SpoilMessage(item, absl::StrCat(path, "[", last, "]."));
    } else if (field->message_type() == google::protobuf::Timestamp::descriptor()) {
      SpoilTime(message, field, path);
    } else if (field->message_type() == google::protobuf::FieldMask::descriptor()) {
      SpoilMask(message, field, path);
      TryEmpty(message, field, path);
    } else {
      SpoilMessage(*reflection.MutableMessage(&message, field), path + ".");
    }
  }

  void SpoilTime(Message& message, const FieldDescriptor* field, const std::string& path) {
    const std::pair<int64_t, int32_t> bad[] = {
        {253402300800, 0}, {-62135596801, 0}, {0, -1}, {0, 1'000'000'000}};
    for (const auto& [seconds, nanos] : bad) {
      Try(message, path, absl::StrCat(seconds, " ", nanos), [&, s = seconds, n = nanos] {
        Message* time = message.GetReflection()->MutableMessage(&message, field);
        static_cast<google::protobuf::Timestamp*>(time)->set_seconds(s);
        static_cast<google::protobuf::Timestamp*>(time)->set_nanos(n);
      });
    }
  }

  void SpoilMask(Message& message, const FieldDescriptor* field, const std::string& path) {
    const auto mask = [&]() -> google::protobuf::FieldMask& {
      return static_cast<google::protobuf::FieldMask&>(
          *message.GetReflection()->MutableMessage(&message, field));
    };
    for (const char* value : {"nope", "", "*", "id", "email' --", "a\r\nb"}) {
      Try(message, path, value, [&] { mask().add_paths(value); });
    }
    Try(message, path, "twice the same", [&] { mask().add_paths(std::string(mask().paths(0))); });
    Try(message, path, "not UTF-8", [&] { mask().add_paths("\xff"); });
  }

  void SpoilList(Message& message, const FieldDescriptor* field, const std::string& path) {
    const auto count = kTooMany.find(field->name());
    ASSERT_NE(count, kTooMany.end()) << "no bad values for " << path;
    const auto& reflection = *message.GetReflection();
    ASSERT_GT(reflection.FieldSize(message, field), 0) << "want one value in " << path;
    Try(message, path, absl::StrCat(count->second, " values"), [&] {
      while (reflection.FieldSize(message, field) < count->second) {
        if (field->message_type() != nullptr) {
          reflection.AddMessage(&message, field);
        } else if (field->enum_type() != nullptr) {
          reflection.AddEnumValue(&message, field, 1);
        } else {
          reflection.AddString(&message, field, "x");
        }
      }
    });
    TryEmpty(message, field, path);
  }

  void TryEmpty(Message& message, const FieldDescriptor* field, const std::string& path) {
    if (required_.erase(path) == 0) return;
    Try(message, path, "empty", [&] { message.GetReflection()->ClearField(&message, field); });
  }

  // Notes the request as `spoil` leaves it, then puts `message` back.
  template <typename Spoil>
  void Try(Message& message, const std::string& path, const std::string& what, const Spoil& spoil) {
    const std::unique_ptr<Message> before(message.New());
    before->CopyFrom(message);
    spoil();
    Attempt attempt{path, what, std::unique_ptr<Message>(request_->New())};
    attempt.request->CopyFrom(*request_);
    attempts_.push_back(std::move(attempt));
    message.CopyFrom(*before);
  }

  const std::unique_ptr<Message> request_;
  std::set<std::string> required_;
  std::vector<Attempt> attempts_;
};

}  // namespace contacts::server

#endif  // CONTACTS_TESTS_INTEGRATION_SERVER_INPUT_SPOILER_H_
