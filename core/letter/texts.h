#ifndef CONTACTS_CORE_LETTER_TEXTS_H_
#define CONTACTS_CORE_LETTER_TEXTS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/domain/contact_change.h"
#include "core/domain/role.h"

// All texts of e-mails, both languages side by side. French has a no-break space (\u00a0) before
// : ; ! ? and within a number or a time.
namespace contacts {

enum class Language { kEnglish, kFrench };

// "fr" and "fr-*", in any case, are French. Every other tag is English.
Language LanguageOf(absl::string_view tag);

// One text in both languages. $0 to $9 stand for values.
struct Wording {
  const char* en;
  const char* fr;

  const char* in(Language language) const { return language == Language::kFrench ? fr : en; }
};

// Puts `values` into the places $0 to $9 of `format`. Places inside a value are not replaced.
std::string FillIn(absl::string_view format, const std::vector<std::string>& values);

// Full date and time of day, in UTC, without seconds: "Monday 1 June 2026 at
// 14:05 UTC", "lundi 1er juin 2026 à 14 h 05 (UTC)".
std::string DateAndTime(absl::Time time, Language language);
// "1,000" in English, "1 000" in French.
std::string Count(std::size_t count, Language language);
// "example.com" for one service, else "300 services".
std::string ServicesInShort(const std::vector<ServiceId>& services, Language language);
// "administrator", "technical" or "billing".
const char* RoleWord(Role role, Language language);
// "the technical contact role", "the administrator and billing contact roles", or,
// without roles, "the contact roles listed below".
std::string RolesInShort(const std::vector<Role>& roles, Language language);
// Services and roles for a subject line: "example.com (technical)", "a.example and 299 more
// (administrator, billing)". Long names are cut in the middle, to 60 characters. Empty without
// services.
std::string SubjectMatter(const std::vector<ServiceId>& services, const std::vector<Role>& roles,
                          Language language);
// Why an item was skipped. Empty if it was not skipped.
std::string SkipReason(ItemOutcome outcome, Language language);

namespace texts {

inline constexpr Wording kLanguageTag = {"en", "fr"};

// Subjects. $0: services and roles, as SubjectMatter writes them.
inline constexpr Wording kValidationSubject = {
    "Contact change for $0: your answer is needed",
    "Changement de contact pour $0\u00a0: votre réponse est attendue"};
inline constexpr Wording kReminderSubject = {
    "Reminder – contact change for $0: your answer is needed",
    "Rappel – changement de contact pour $0\u00a0: votre réponse est attendue"};
inline constexpr Wording kDoneSubject = {"Contact change for $0: done",
                                         "Changement de contact pour $0\u00a0: c’est fait"};
inline constexpr Wording kRolesLostSubject = {"Your contact roles on $0 have changed",
                                              "Vos rôles de contact sur $0 ont changé"};
inline constexpr Wording kRefusedSubject = {"Contact change for $0: refused",
                                            "Changement de contact pour $0\u00a0: refusé"};
inline constexpr Wording kCancelledSubject = {"Contact change for $0: cancelled",
                                              "Changement de contact pour $0\u00a0: annulé"};
inline constexpr Wording kWithdrawnSubject = {"Contact change for $0: withdrawn",
                                              "Changement de contact pour $0\u00a0: retiré"};
inline constexpr Wording kExpiredSubject = {"Contact change for $0: expired",
                                            "Changement de contact pour $0\u00a0: expiré"};
inline constexpr Wording kAbortedSubject = {"Contact change for $0: not carried out",
                                            "Changement de contact pour $0\u00a0: sans suite"};
// $0: account.
inline constexpr Wording kProfileChangedSubject = {
    "The e-mail address of your account $0 was changed",
    "L’adresse e-mail de votre compte $0 a été modifiée"};
inline constexpr Wording kConfirmEmailSubject = {
    "Confirm the new e-mail address of your account $0",
    "Confirmez la nouvelle adresse e-mail de votre compte $0"};
inline constexpr Wording kEmailAskedSubject = {
    "A new e-mail address was entered for your account $0",
    "Une nouvelle adresse e-mail a été saisie pour votre compte $0"};
inline constexpr Wording kOverrideSubject = {"Our team changed contacts on $0",
                                             "Notre équipe a modifié des contacts sur $0"};

// Titles.
inline constexpr Wording kConfirmTitle = {"Please confirm your request",
                                          "Merci de confirmer votre demande"};
inline constexpr Wording kAgreeTitle = {"Your agreement is needed", "Votre accord est attendu"};
inline constexpr Wording kDoneTitle = {"The change has been made", "Le changement est fait"};
inline constexpr Wording kRolesLostTitle = {"Your contact roles have changed",
                                            "Vos rôles de contact ont changé"};
inline constexpr Wording kRefusedTitle = {"The request was refused", "La demande a été refusée"};
inline constexpr Wording kCancelledTitle = {"The request was cancelled",
                                            "La demande a été annulée"};
inline constexpr Wording kWithdrawnTitle = {"Part of the request was withdrawn",
                                            "Une partie de la demande a été retirée"};
inline constexpr Wording kExpiredTitle = {"The request has expired", "La demande a expiré"};
inline constexpr Wording kAbortedTitle = {"The request could not be carried out",
                                          "La demande n’a pas pu aboutir"};
inline constexpr Wording kProfileChangedTitle = {"Your e-mail address was changed",
                                                 "Votre adresse e-mail a été modifiée"};
inline constexpr Wording kConfirmEmailTitle = {"Confirm your new e-mail address",
                                               "Confirmez votre nouvelle adresse e-mail"};
inline constexpr Wording kEmailAskedTitle = {"A new e-mail address was entered",
                                             "Une nouvelle adresse e-mail a été saisie"};
inline constexpr Wording kOverrideTitle = {"Our team changed some contacts",
                                           "Notre équipe a modifié des contacts"};

inline constexpr Wording kGreeting = {"Hello,", "Bonjour,"};

// Asked for. $0: roles in short; $1: services in short; $2: the other account.
inline constexpr Wording kYouAskToTakeOver = {
    "You asked to take over $0 on $1. Nothing changes until you confirm.",
    "Vous avez demandé à reprendre $0 sur $1. Rien ne change tant que vous n’avez pas confirmé."};
inline constexpr Wording kYouAskForOther = {"You asked for $2 to take over $0 on $1.",
                                            "Vous avez demandé que $2 reprenne $0 sur $1."};
inline constexpr Wording kOtherAsksYou = {"$2 asks you to take over $0 on $1.",
                                          "$2 vous demande de reprendre $0 sur $1."};
// $0: the other validator.
inline constexpr Wording kBothNeeded = {
    "The change takes effect as soon as you and $0 have both accepted it.",
    "Le changement prendra effet dès que vous et $0 l’aurez accepté."};
inline constexpr Wording kOnlyYouNeeded = {
    "$0 has already accepted: only your answer is missing.",
    "$0 a déjà accepté\u00a0: il ne manque que votre réponse."};
// $0: date and time.
inline constexpr Wording kReminderNote = {
    "This is a reminder: we have not had your answer yet, and the request expires on $0.",
    "Ceci est un rappel\u00a0: nous n’avons pas encore reçu votre réponse, et la demande expire "
    "le $0."};
inline constexpr Wording kAnswerBy = {"You can answer until $0.",
                                      "Vous pouvez répondre jusqu’au $0."};
inline constexpr Wording kCodeLabel = {"Your validation code", "Votre code de validation"};
inline constexpr Wording kAccept = {"Accept", "Accepter"};
inline constexpr Wording kRefuse = {"Refuse", "Refuser"};
inline constexpr Wording kAcceptLink = {"To accept, open this link:",
                                        "Pour accepter, ouvrez ce lien\u00a0:"};
inline constexpr Wording kRefuseLink = {"To refuse, open this link:",
                                        "Pour refuser, ouvrez ce lien\u00a0:"};
inline constexpr Wording kUnexpected = {
    "Were you not expecting this? Refuse the request, or simply ignore this e-mail: nothing "
    "changes without your agreement.",
    "Vous ne vous attendiez pas à cette demande\u00a0? Refusez-la, ou ignorez simplement cet "
    "e-mail\u00a0: rien ne change sans votre accord."};
inline constexpr Wording kCodePersonal = {
    "The code and the links are personal and work only once. Please do not pass them on: our team "
    "will never ask you for them.",
    "Le code et les liens sont personnels et à usage unique. Ne les transmettez à personne\u00a0: "
    "notre équipe ne vous les demandera jamais."};

// Description of a role, for an account that is asked to take it over.
inline constexpr Wording kAdminMeans = {
    "The administrator contact manages the service, can change all of its contacts and sees its "
    "owner’s details.",
    "Le contact administrateur gère le service, peut en modifier tous les contacts et a accès aux "
    "informations du propriétaire."};
inline constexpr Wording kTechMeans = {
    "The technical contact looks after the technical side of the service.",
    "Le contact technique s’occupe de la partie technique du service."};
inline constexpr Wording kBillingMeans = {
    "The billing contact looks after payments and receives renewal notices; your own payments must "
    "be up to date for you to take this role over.",
    "Le contact facturation s’occupe des règlements et reçoit les avis de renouvellement\u00a0; "
    "vos propres règlements doivent être à jour pour que vous puissiez reprendre ce rôle."};

// Lists. $0: how many more; $1: how many in all.
inline constexpr Wording kServicesAndRoles = {"Services and roles", "Services et rôles"};
inline constexpr Wording kNotMoved = {"Not changed", "Non modifiés"};
inline constexpr Wording kHeldByNow = {"Who holds what now", "Les contacts désormais"};
inline constexpr Wording kAndOneMore = {"and $0 more service ($1 in all)",
                                        "et $0 autre service ($1 au total)"};
inline constexpr Wording kAndMore = {"and $0 more services ($1 in all)",
                                     "et $0 autres services ($1 au total)"};
// $0: role; $1: account.
inline constexpr Wording kRoleHeldBy = {"$0: $1", "$0\u00a0: $1"};
inline constexpr Wording kRoleHeldByYou = {"$0: you ($1)", "$0\u00a0: vous ($1)"};

// Done. $0: roles in short; $1: services in short; $2: the other account.
inline constexpr Wording kYouTookOver = {"You have taken over $0 on $1, as you asked.",
                                         "Vous avez repris $0 sur $1, comme vous l’aviez demandé."};
inline constexpr Wording kOtherTookOver = {"$2 has taken over $0 on $1, as you asked.",
                                           "$2 a repris $0 sur $1, comme vous l’aviez demandé."};
inline constexpr Wording kYouTookOverFor = {"You have taken over $0 on $1, as $2 asked.",
                                            "Vous avez repris $0 sur $1, à la demande de $2."};
// $0: date and time.
inline constexpr Wording kInEffectSince = {"The change took effect on $0.",
                                           "Le changement a pris effet le $0."};
inline constexpr Wording kSomeSkipped = {
    "Part of the request could no longer be carried out; the reasons are given below.",
    "Une partie de la demande n’a plus pu être effectuée\u00a0; les raisons sont indiquées "
    "ci-dessous."};

// Roles lost. $0: roles in short; $1: services in short; $2: the present holder.
inline constexpr Wording kYouLost = {"You no longer hold $0 on $1: $2 has taken over.",
                                     "Vous n’avez plus $0 sur $1\u00a0: $2 a pris la suite."};
// $0: the requester; $1: date and time.
inline constexpr Wording kAskedBy = {"$0 asked for this change, which took effect on $1.",
                                     "Ce changement, demandé par $0, a pris effet le $1."};
// $0: date and time.
inline constexpr Wording kAskedByYou = {
    "You had asked for this change, which took effect on $0.",
    "Ce changement, que vous aviez demandé, a pris effet le $0."};
// $0: the requester.
inline constexpr Wording kLostUnexpectedly = {
    "If this comes as a surprise, please get in touch with $0 or with our support team.",
    "Si ce changement vous surprend, contactez $0 ou notre support."};

// Closed without effect. $0: roles in short; $1: services in short; $2: the other account.
inline constexpr Wording kYouHadAskedToTakeOver = {"You had asked to take over $0 on $1.",
                                                   "Vous aviez demandé à reprendre $0 sur $1."};
inline constexpr Wording kYouHadAskedForOther = {"You had asked for $2 to take over $0 on $1.",
                                                 "Vous aviez demandé que $2 reprenne $0 sur $1."};
inline constexpr Wording kOtherHadAskedYou = {"$2 had asked you to take over $0 on $1.",
                                              "$2 vous avait demandé de reprendre $0 sur $1."};
// $0: the account that refused.
inline constexpr Wording kRefusedBy = {"$0 has refused this request. Nothing has changed.",
                                       "$0 a refusé cette demande. Rien n’a changé."};
inline constexpr Wording kReasonGiven = {"Reason given", "Raison indiquée"};
inline constexpr Wording kNoReasonGiven = {"No reason was given.",
                                           "Aucune raison n’a été indiquée."};
inline constexpr Wording kCancelled = {"This request has been cancelled. Nothing has changed.",
                                       "Cette demande a été annulée. Rien n’a changé."};
inline constexpr Wording kCancelledByAdmin = {
    "This request has been cancelled by an administrator contact. Nothing has changed.",
    "Cette demande a été annulée par un contact administrateur. Rien n’a changé."};
// Items withdrawn. $0: account.
inline constexpr Wording kSomeWithdrawn = {
    "The administrator contact of the services below has withdrawn them from this request. Nothing "
    "changes on them.",
    "Le contact administrateur des services ci-dessous les a retirés de cette demande. Rien n’y "
    "change."};
inline constexpr Wording kWithdrawn = {"Withdrawn", "Retirés"};
inline constexpr Wording kWithdrawnBy = {"withdrawn by $0", "retiré par $0"};
inline constexpr Wording kRestGoesOn = {
    "The rest of the request goes on, and the answers given so far stand.",
    "Le reste de la demande suit son cours, et les réponses déjà données restent valables."};
inline constexpr Wording kStillAskedFor = {"Still asked for", "Toujours demandés"};
// Pending on services of a new admin. $0: role; $1: new contact; $2: requester.
inline constexpr Wording kPendingOnYours = {
    "You are now the administrator contact of services on which other requests are still waiting "
    "for "
    "answers. You may withdraw these from your services at any time.",
    "Vous êtes désormais le contact administrateur de services pour lesquels d’autres demandes "
    "attendent encore des réponses. Vous pouvez à tout moment les retirer pour vos services."};
inline constexpr Wording kStillPending = {"Still pending", "Encore en attente"};
inline constexpr Wording kPendingRole = {"$0: to $1, asked for by $2",
                                         "$0\u00a0: à $1, à la demande de $2"};
// $0: date and time.
inline constexpr Wording kExpired = {
    "The request expired on $0, before everyone had answered. Nothing has changed.",
    "La demande a expiré le $0, avant que tout le monde ait répondu. Rien n’a changé."};
// $0: date and time.
inline constexpr Wording kTakeOverExpired = {
    "The request expired on $0, before you had confirmed it. Nothing has changed.",
    "La demande a expiré le $0, avant que vous l’ayez confirmée. Rien n’a changé."};
// $0: account.
inline constexpr Wording kAnswerMissing = {"We had no answer from $0.",
                                           "Nous n’avons pas reçu la réponse de $0."};
inline constexpr Wording kYourAnswerMissing = {"We had no answer from you.",
                                               "Nous n’avons pas reçu votre réponse."};
inline constexpr Wording kAborted = {
    "This request has been closed without effect: nothing of it could be carried out any more. The "
    "reasons are given below.",
    "Cette demande a été close sans effet\u00a0: plus rien ne pouvait en être effectué. Les "
    "raisons "
    "sont indiquées ci-dessous."};
inline constexpr Wording kAbortedBySupport = {
    "Our support team has closed this request. Nothing has changed.",
    "Notre support a clos cette demande. Rien n’a changé."};
// $0: account.
inline constexpr Wording kAbortedAccountClosed = {
    "This request has been closed without effect, as the account $0 has been closed. Nothing has "
    "changed.",
    "Cette demande a été close sans effet, car le compte $0 a été fermé. Rien n’a changé."};
inline constexpr Wording kAskAgain = {"You can make a new request at any time.",
                                      "Vous pouvez faire une nouvelle demande à tout moment."};
inline constexpr Wording kNothingToDo = {"There is nothing for you to do.",
                                         "Vous n’avez rien à faire."};

// Profile changed. $0: account; $1: date and time.
inline constexpr Wording kAddressChanged = {
    "The e-mail address of your account $0 was changed on $1. From now on, our e-mails about this "
    "account go to the new address.",
    "L’adresse e-mail de votre compte $0 a été modifiée le $1. Nos e-mails au sujet de ce compte "
    "sont désormais envoyés à la nouvelle adresse."};
inline constexpr Wording kAddressChangedByYou = {
    "If you made this change, there is nothing for you to do.",
    "Si vous êtes à l’origine de cette modification, vous n’avez rien à faire."};
inline constexpr Wording kAddressChangedByOther = {
    "If it was not you, please contact our support team without delay: someone else may have "
    "access to your account.",
    "Si ce n’est pas le cas, contactez notre support sans attendre\u00a0: quelqu’un d’autre a "
    "peut-être accès à votre compte."};

// Address to confirm. $0: account; $1: date and time; $2: the new address, masked.
inline constexpr Wording kAddressToConfirm = {
    "This e-mail address was entered for account $0 on $1. It is not in use yet: until it is "
    "confirmed, our e-mails about this account go to the present address.",
    "Cette adresse e-mail a été saisie pour le compte $0 le $1. Elle n’est pas encore "
    "utilisée\u00a0: "
    "tant qu’elle n’est pas confirmée, nos e-mails au sujet de ce compte sont envoyés à l’adresse "
    "actuelle."};
inline constexpr Wording kConfirmCodeLabel = {"Your confirmation code",
                                              "Votre code de confirmation"};
inline constexpr Wording kConfirm = {"Confirm", "Confirmer"};
inline constexpr Wording kConfirmLink = {"To confirm, open this link:",
                                         "Pour confirmer, ouvrez ce lien\u00a0:"};
inline constexpr Wording kConfirmBy = {"You can confirm until $0.",
                                       "Vous pouvez confirmer jusqu’au $0."};
inline constexpr Wording kConfirmUnexpected = {
    "Were you not expecting this? Simply ignore this e-mail: nothing is sent to this address "
    "unless "
    "it is confirmed.",
    "Vous ne vous attendiez pas à cet e-mail\u00a0? Ignorez-le simplement\u00a0: rien n’est envoyé "
    "à "
    "cette adresse sans confirmation."};
inline constexpr Wording kConfirmPersonal = {
    "The code and the link are personal and work only once. Please do not pass them on: our team "
    "will never ask you for them.",
    "Le code et le lien sont personnels et à usage unique. Ne les transmettez à personne\u00a0: "
    "notre équipe ne vous les demandera jamais."};
inline constexpr Wording kAddressAsked = {
    "On $1, the e-mail address $2 was entered for your account $0. It comes into use once it is "
    "confirmed with the code that we sent to it. Until then, our e-mails go to the present "
    "address.",
    "Le $1, l’adresse e-mail $2 a été saisie pour votre compte $0. Elle sera utilisée dès qu’elle "
    "aura été confirmée avec le code que nous y avons envoyé. D’ici là, nos e-mails sont envoyés à "
    "l’adresse actuelle."};
inline constexpr Wording kAddressAskedByYou = {
    "If you entered it, you will find the code in the mailbox of the new address.",
    "Si vous en êtes à l’origine, vous trouverez le code dans la boîte de la nouvelle adresse."};

// Override. $0: services in short; $1: date and time.
inline constexpr Wording kOverridden = {
    "On $1, our team changed contacts on $0. The change is already in effect and needs no answer "
    "from you.",
    "Le $1, notre équipe a modifié des contacts sur $0. Le changement est déjà effectif et "
    "n’attend aucune réponse de votre part."};
inline constexpr Wording kOperatorsReason = {"Reason given by our team",
                                             "Raison indiquée par notre équipe"};
inline constexpr Wording kOverrideQuestions = {
    "If you have any questions, please contact our support team.",
    "Pour toute question, contactez notre support."};

// Footer. $0: account.
inline constexpr Wording kFooter = {
    "This e-mail was sent automatically to account $0. Replies to it are not read.",
    "Cet e-mail a été envoyé automatiquement au compte $0. Les réponses ne sont pas lues."};
// $0: the contact change's id.
inline constexpr Wording kReference = {"Reference: $0", "Référence\u00a0: $0"};

}  // namespace texts
}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_TEXTS_H_
