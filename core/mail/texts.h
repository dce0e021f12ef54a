#ifndef CONTACTS_CORE_MAIL_TEXTS_H_
#define CONTACTS_CORE_MAIL_TEXTS_H_

#include <string>

#include "absl/time/time.h"
#include "core/domain/model.h"

// Every sentence of the e-mails, in both languages side by side. "$0", "$1" and
// so on stand for what is filled in.
namespace contacts {

enum class Language { kEnglish, kFrench };
// French for "fr" and its variants, else English.
Language LanguageOf(const std::string& tag);

struct Phrase {
  const char* english;
  const char* french;
  const char* in(Language language) const {
    return language == Language::kFrench ? french : english;
  }
};

namespace texts {

inline constexpr Phrase kGreeting = {"Hello $0,", "Bonjour $0,"};
inline constexpr Phrase kClosing = {"The contacts service", "Le service des contacts"};

// Validation and reminder.
inline constexpr Phrase kValidationSubject = {"Contact change to validate: $0",
                                              "Changement de contact à valider : $0"};
inline constexpr Phrase kReminderSubject = {"Reminder: contact change to validate: $0",
                                            "Rappel : changement de contact à valider : $0"};
inline constexpr Phrase kRequesterIntro = {
    "You asked that $0 become contact of the services below. We need your validation.",
    "Vous avez demandé que $0 devienne contact des services ci-dessous. Votre validation est "
    "nécessaire."};
inline constexpr Phrase kTakeOverIntro = {
    "You asked to become contact of the services below. We need your validation.",
    "Vous avez demandé à devenir contact des services ci-dessous. Votre validation est "
    "nécessaire."};
inline constexpr Phrase kNewContactIntro = {
    "$0 asks that you become contact of the services below. We need your validation.",
    "$0 demande que vous deveniez contact des services ci-dessous. Votre validation est "
    "nécessaire."};
inline constexpr Phrase kReminderIntro = {"This request still awaits your answer.",
                                          "Cette demande attend toujours votre réponse."};
inline constexpr Phrase kTokenLabel = {"Your validation code", "Votre code de validation"};
inline constexpr Phrase kAccept = {"Accept", "Accepter"};
inline constexpr Phrase kRefuse = {"Refuse", "Refuser"};
inline constexpr Phrase kUntil = {"You can answer until $0.", "Vous pouvez répondre jusqu’au $0."};
inline constexpr Phrase kPersonal = {
    "This code is personal and can be used once. Never pass it on. If you did not expect this "
    "request, refuse it or ignore this e-mail: nothing changes without your validation.",
    "Ce code est personnel et à usage unique. Ne le transmettez jamais. Si vous n’attendiez pas "
    "cette demande, refusez-la ou ignorez cet e-mail : rien ne change sans votre validation."};

// Once it ended.
inline constexpr Phrase kDoneSubject = {"Contact change done: $0",
                                        "Changement de contact effectué : $0"};
inline constexpr Phrase kDoneIntro = {
    "Every validation was given: $0 is now contact of the services below, as asked by $1.",
    "Toutes les validations ont été données : $0 est désormais contact des services ci-dessous, "
    "à la demande de $1."};
inline constexpr Phrase kSkippedIntro = {"These could not be changed:",
                                         "Ceux-ci n’ont pas pu être changés :"};
inline constexpr Phrase kRolesLostSubject = {"You are no longer contact: $0",
                                             "Vous n’êtes plus contact : $0"};
inline constexpr Phrase kRolesLostIntro = {
    "You no longer hold the roles below. $0 holds them now, as asked by $1.",
    "Vous n’avez plus les rôles ci-dessous. Ils reviennent à $0, à la demande de $1."};
inline constexpr Phrase kRefusedSubject = {"Contact change refused: $0",
                                           "Changement de contact refusé : $0"};
inline constexpr Phrase kRefusedIntro = {
    "$0 refused the contact change below. Nothing has changed.",
    "$0 a refusé le changement de contact ci-dessous. Rien n’a changé."};
inline constexpr Phrase kReasonLabel = {"Reason given", "Motif donné"};
inline constexpr Phrase kCancelledSubject = {"Contact change cancelled: $0",
                                             "Changement de contact annulé : $0"};
inline constexpr Phrase kCancelledIntro = {
    "The contact change below was withdrawn. Nothing has changed.",
    "Le changement de contact ci-dessous a été retiré. Rien n’a changé."};
inline constexpr Phrase kExpiredSubject = {"Contact change expired: $0",
                                           "Changement de contact expiré : $0"};
inline constexpr Phrase kExpiredIntro = {
    "The contact change below was not validated by everyone in time. Nothing has changed.",
    "Le changement de contact ci-dessous n’a pas été validé par tous dans le délai prévu. Rien "
    "n’a changé."};
inline constexpr Phrase kAbortedSubject = {"Contact change without effect: $0",
                                           "Changement de contact sans effet : $0"};
inline constexpr Phrase kAbortedIntro = {
    "The contact change below can no longer take effect, and was closed.",
    "Le changement de contact ci-dessous ne peut plus prendre effet ; il a été clos."};
inline constexpr Phrase kAskedBy = {"Asked for by $0, for $1.", "Demandé par $0, pour $1."};

// Of other things.
inline constexpr Phrase kProfileSubject = {"Your e-mail address was changed",
                                           "Votre adresse e-mail a été modifiée"};
inline constexpr Phrase kProfileIntro = {
    "The e-mail address of your account $0 was changed. Messages no longer go to this address.",
    "L’adresse e-mail de votre compte $0 a été modifiée. Les messages ne sont plus envoyés à "
    "cette adresse."};
inline constexpr Phrase kProfileNotYou = {"If this was not you, contact support at once.",
                                          "Si vous n’en êtes pas à l’origine, contactez le "
                                          "support sans attendre."};
inline constexpr Phrase kOverrideSubject = {"Contacts set by support: $0",
                                            "Contacts définis par le support : $0"};
inline constexpr Phrase kOverrideIntro = {"Our support set these contacts:",
                                          "Notre support a défini ces contacts :"};

// Lists.
inline constexpr Phrase kItem = {"$0: $1 contact", "$0 : contact $1"};
inline constexpr Phrase kItemNow = {"$0: $1 contact is now $2 (was $3)",
                                    "$0 : le contact $1 est désormais $2 (avant : $3)"};
inline constexpr Phrase kItemSkipped = {"$0: $1 contact – $2", "$0 : contact $1 – $2"};
inline constexpr Phrase kMore = {"and $0 more, $1 in all", "et $0 autres, soit $1 en tout"};
inline constexpr Phrase kServices = {"$0 services", "$0 services"};
inline constexpr Phrase kContactChanged = {"its contact changed meanwhile",
                                           "son contact a changé entre-temps"};
inline constexpr Phrase kAuthorityLost = {"the requester may no longer change it",
                                          "le demandeur ne peut plus le modifier"};
inline constexpr Phrase kServiceRemoved = {"the service no longer exists",
                                           "le service n’existe plus"};

}  // namespace texts

// The role as the e-mails name it.
const char* RoleName(Role role, Language language);
// Date and time, in UTC, as the language writes them.
std::string WriteTime(absl::Time time, Language language);

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_TEXTS_H_
