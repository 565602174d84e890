/** What the statuses of an SMSC mean, in French: by what `src/ussd/status-policy.ts` says of them. */

export const STATUS_FR: Readonly<Record<string, string>> = {
  'the text is too long for this SMSC': 'le texte est trop long pour ce SMSC',
  'it does not know the command, or its length': 'il ne connaît pas la commande, ou sa longueur',
  'the SMSC does not count this bind as one that may submit':
    'le SMSC ne compte pas ce bind parmi ceux qui peuvent soumettre',
  'the account is bound already': 'le compte est déjà lié',
  'priority_flag or registered_delivery is not accepted': 'priority_flag ou registered_delivery n’est pas accepté',
  'a fault inside the SMSC, or it is overloaded': 'une faute dans le SMSC, ou il est surchargé',
  'the source address is not ours, or not in this form': 'l’adresse source n’est pas la nôtre, ou pas sous cette forme',
  "the subscriber's number is not accepted": 'le numéro de l’abonné n’est pas accepté',
  'it has no message of this id': 'il n’a pas de message de cet identifiant',
  'the bind failed: a starting SMSC, or one that does not know us; no answer to a submit':
    'le bind a échoué : un SMSC qui démarre, ou qui ne nous connaît pas ; jamais une réponse à un envoi',
  'the password is wrong': 'le mot de passe est faux',
  'the system id is wrong': 'le system id est faux',
  'the message cannot be cancelled or replaced any more': 'le message ne peut plus être annulé ni remplacé',
  "the SMSC's queue for this subscriber is full": 'la file du SMSC pour cet abonné est pleine',
  'service_type is not accepted': 'service_type n’est pas accepté',
  'a distribution list; we send none': 'une liste de distribution ; nous n’en envoyons pas',
  'esm_class or a flag is not accepted': 'esm_class ou un drapeau n’est pas accepté',
  'submit failed, without a reason: often the network, seldom for good':
    'envoi échoué, sans raison : souvent le réseau, rarement pour toujours',
  'TON or NPI of the source address': 'TON ou NPI de l’adresse source',
  'TON of the number; C gateways: the subscriber has no such dialogue':
    'TON du numéro ; passerelles C : l’abonné n’a pas ce dialogue',
  "NPI of the subscriber's number": 'NPI du numéro de l’abonné',
  'system_type, replace_if_present or a number of messages': 'system_type, replace_if_present ou un nombre de messages',
  'we send more in a second than the account may': 'nous envoyons plus par seconde que le compte ne le permet',
  'a time or sm_default_msg_id is not accepted': 'une heure ou sm_default_msg_id n’est pas acceptée',
  'the other side cannot take it now': 'l’autre côté ne peut pas le prendre maintenant',
  'the other side will never take it': 'l’autre côté ne le prendra jamais',
  'the other side refused it': 'l’autre côté l’a refusé',
  'query_sm failed: it has no such message': 'query_sm a échoué : il n’a pas ce message',
  'an optional parameter is wrong, missing or not allowed': 'un paramètre optionnel est faux, absent ou pas permis',
  'delivery failed, without a reason': 'remise échouée, sans raison',
  'an unknown error': 'une erreur inconnue',
  'v5.0: the account may not use this service or command':
    'v5.0 : le compte n’a pas droit à ce service ou cette commande',
  'v5.0: the service is out of order': 'v5.0 : le service est en panne',
  'v5.0: the service is denied, or data_coding is not accepted':
    'v5.0 : le service est refusé, ou data_coding n’est pas accepté',
  "a vendor's own: ask the operator what it means":
    'propre au fournisseur : demandez à l’opérateur ce que cela veut dire',
  'a status that no table names': 'un statut qu’aucune table ne nomme',
}
