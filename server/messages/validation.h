#ifndef CONTACTS_SERVER_MESSAGES_VALIDATION_H_
#define CONTACTS_SERVER_MESSAGES_VALIDATION_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/domain/errors.h"
#include "core/domain/ids.h"
#include "server/messages/field_rules.h"

namespace contacts::server {

using FieldViolations = std::vector<errors::FieldViolation>;

// Applies the table of field rules to requests. Immutable and thread safe. Never blocks.
class RequestValidator {
 public:
  explicit RequestValidator(const std::vector<FieldRule>& rules);
  ~RequestValidator();

  // Faults of the table itself: each request field without a rule, each rule without a field or for
  // another type. Empty if the table is complete.
  const std::vector<std::string>& gaps() const { return gaps_; }

  // Brings `request` into its canonical form (ids in lower case) and returns
  // every malformed field of it, in the order of the contract. `acting` is the
  // acting account, empty for an operator.
  FieldViolations Validate(google::protobuf::Message& request, const AccountId& acting) const;

 private:
  struct Node;
  class Walk;

  std::vector<Node> Compile(const google::protobuf::Descriptor& message, const std::string& path,
                            absl::flat_hash_map<std::string, FieldRule>& unused);

  absl::flat_hash_map<const google::protobuf::Descriptor*, std::vector<Node>> requests_;
  std::vector<std::string> gaps_;
};

// Returns the request message of every method of the contract.
std::vector<const google::protobuf::Descriptor*> RequestMessages();

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_MESSAGES_VALIDATION_H_
