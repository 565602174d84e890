/** What the daemon says in English, in French: reasons, remedies, ends of dialogues. All else stays as it is. */

import { STATUS_FR } from './statuses-fr.ts'

const EXACT: Readonly<Record<string, string>> = {
  // Why a dialogue ended.
  'the flow came to its end': 'le flux est arrivé à sa fin',
  'the subscriber chose to leave': 'l’abonné a choisi de sortir',
  'the subscriber hung up': 'l’abonné a raccroché',
  'the network ended it': 'le réseau y a mis fin',
  'no answer in time': 'pas de réponse à temps',
  'it had lasted as long as a dialogue may': 'il avait duré aussi longtemps qu’un dialogue le peut',
  'a back end had no usable answer: see its call': 'un service n’avait pas de réponse utilisable : voir son appel',
  'Redis or the journal failed': 'Redis ou le journal a échoué',
  'the line was lost, or is gone from the settings': 'la ligne a été perdue, ou n’est plus dans les réglages',
  'the network refused our screen': 'le réseau a refusé notre écran',
  'the subscriber dialled again': 'l’abonné a rappelé',
  'too many were dialling': 'trop d’appels à la fois',
  'too many answers that the screen did not take': 'trop de réponses que l’écran n’accepte pas',
  'its flow or revision is no longer there': 'son flux ou sa révision n’existe plus',
  'a fault of ours: look in the log for its epoch': 'une faute de notre part : cherchez son époque dans le journal',
  'the daemon stopped': 'le démon s’est arrêté',
  'an operator ended it': 'un opérateur y a mis fin',
  'an operator had recalled the flow': 'un opérateur avait rappelé le flux',
  'the answer was promised for later: see the deferred answer':
    'la réponse a été promise pour plus tard : voir la réponse différée',
  'told on the screen': 'dite à l’écran',
  'told by SMS': 'dite par SMS',
  'told not at all: its flow is gone, or the subscriber was in it again':
    'pas dite : son flux n’existe plus, ou l’abonné y était de nouveau',
  'its answer is being worked on': 'sa réponse est en cours',
  'it waits for the subscriber': 'il attend l’abonné',
  // Why a dial was turned away.
  'too many were dialling, or this one dialled too fast': 'trop d’appels à la fois, ou celui-ci appelait trop vite',
  'no service has this code on this line': 'aucun service n’a ce code sur cette ligne',
  'Redis or the journal did not answer': 'Redis ou le journal n’a pas répondu',
  'more dials than one subscriber may make': 'plus d’appels qu’un abonné n’en peut faire',
  'the daemon was stopping': 'le démon s’arrêtait',
  // Calls of back ends.
  answered: 'a répondu',
  'answered too late for the dialogue: see the deferred answer':
    'a répondu trop tard pour le dialogue : voir la réponse différée',
  'no answer in time: it may have been carried out': 'pas de réponse à temps : peut-être exécuté',
  'not reached, or it failed': 'pas joint, ou en échec',
  'answered what nobody can use': 'a répondu ce que personne ne peut utiliser',
  'not allowed to be called': 'n’a pas le droit d’être appelé',
  // Why an SMS is as it is.
  'its time was over before it could leave': 'son temps était passé avant qu’il puisse partir',
  'it was taken back, or its subscriber wants no SMS': 'il a été repris, ou son abonné ne veut pas de SMS',
  'the SMSC refused it': 'le SMSC l’a refusé',
  'it was sent, and the SMSC did not answer: the handset may have it':
    'il a été envoyé sans réponse du SMSC : le téléphone l’a peut-être',
  'it was sent twice, and the SMSC answered neither time: the handset may have it':
    'il a été envoyé deux fois sans réponse du SMSC : le téléphone l’a peut-être',
  'the SMSC refused it, after the time for its answer': 'le SMSC l’a refusé, après le temps prévu pour sa réponse',
  'the SMSC asked us to wait': 'le SMSC nous a demandé d’attendre',
  'the SMSC tried until its time was over: the handset was off, full or out of reach':
    'le SMSC a essayé jusqu’à la fin de son temps : téléphone éteint, plein ou hors de portée',
  'it was deleted at the SMSC': 'il a été effacé chez le SMSC',
  'the network cannot deliver it: the number may not exist, or not take SMS':
    'le réseau ne peut pas le remettre : le numéro n’existe peut-être pas, ou ne prend pas de SMS',
  'the network refused it': 'le réseau l’a refusé',
  // Why a line, a store, a clock or a certificate is an alarm, and what to do.
  'it does not answer': 'il ne répond pas',
  'synchronise the clocks of all machines (NTP, chrony)':
    'synchronisez les horloges de toutes les machines (NTP, chrony)',
  'it ended without a word, or does not reach Postgres': 'il a fini sans un mot, ou n’atteint pas Postgres',
  'look at that machine: is the process there, and what are the last lines of its log?':
    'regardez cette machine : le processus est-il là, et quelles sont les dernières lignes de son journal ?',
  'get another one; of ours: replace the file, then ussd-connector reload':
    'demandez-en un autre ; si c’est le nôtre : remplacez le fichier, puis ussd-connector reload',
  'somebody asked for it': 'quelqu’un l’a demandé',
  'nothing to do': 'rien à faire',
  'ussd-connector lines says why': 'ussd-connector lines dit pourquoi',
  'nothing listens there: is the SMSC running, and are smsc.host and smsc.port right?':
    'rien n’écoute là : le SMSC tourne-t-il, et smsc.host et smsc.port sont-ils justes ?',
  'no route to it: check VPN, route and firewall; ask the operator whether the firewall allows our address; with smsc.tls, ask whether that port speaks TLS':
    'pas de route : vérifiez VPN, route et pare-feu ; demandez à l’opérateur si le pare-feu permet notre adresse ; avec smsc.tls, si ce port parle TLS',
  'smsc.host has no address: is the name right, and does DNS work on this machine?':
    'smsc.host n’a pas d’adresse : le nom est-il juste, et le DNS marche-t-il sur cette machine ?',
  'it accepts the connection but does not answer: is this the SMPP port? If yes, the SMSC hangs: tell the operator':
    'il accepte la connexion mais ne répond pas : est-ce le port SMPP ? Si oui, le SMSC est figé : prévenez l’opérateur',
  'it closes the connection before it answers our bind: ask the operator whether our address may connect, and how many times; does it want TLS (smsc.tls)?':
    'il ferme la connexion avant de répondre à notre bind : demandez à l’opérateur si notre adresse peut se connecter, et combien de fois ; veut-il TLS (smsc.tls) ?',
  'the connection of a working bind broke. If that happens often, check the network between us, and a firewall that drops idle connections (timers.enquireMs)':
    'la connexion d’un bind qui marchait s’est rompue. Si cela arrive souvent, vérifiez le réseau entre nous, et un pare-feu qui coupe les connexions inactives (timers.enquireMs)',
  'we refuse its certificate: check smsc.tls.ca (who signed it), smsc.tls.servername (its name), and the clock here':
    'nous refusons son certificat : vérifiez smsc.tls.ca (qui l’a signé), smsc.tls.servername (son nom), et l’horloge ici',
  'the port has no TLS 1.2 or later, or needs our certificate (smsc.tls.cert): ask the operator for the TLS port':
    'le port n’a pas TLS 1.2 ou plus récent, ou veut notre certificat (smsc.tls.cert) : demandez le port TLS à l’opérateur',
  'the answer is not SMPP: is smsc.port right, and does the port need TLS (smsc.tls)?':
    'la réponse n’est pas du SMPP : smsc.port est-il juste, et le port veut-il TLS (smsc.tls) ?',
  'smsc.systemId or the password is wrong: correct it, then run ussd-connector reload. We try rarely, because SMSCs lock accounts':
    'smsc.systemId ou le mot de passe est faux : corrigez, puis lancez ussd-connector reload. Nous essayons rarement, car les SMSC verrouillent les comptes',
  'either the SMSC is starting or overloaded, which passes; or it refuses this account, our address or this kind of bind: ask the operator':
    'le SMSC démarre ou est surchargé, ce qui passe ; ou il refuse ce compte, notre adresse ou cette sorte de bind : demandez à l’opérateur',
  'the account is in use: by another daemon of yours (this one takes over if it stops), by our own last connection (this passes), or by another program':
    'le compte est pris : par un autre de vos démons (celui-ci prend la relève s’il s’arrête), par notre propre dernière connexion (cela passe), ou par un autre programme',
  'the SMSC takes no more binds, or no more requests, at the moment; we try again more and more rarely. If it stays, ask the operator how many binds and tries the account may have':
    'le SMSC ne prend plus de binds, ou plus de requêtes, pour le moment ; nous réessayons de plus en plus rarement. Si cela dure, demandez à l’opérateur combien de binds et d’essais le compte peut avoir',
  'the SMSC refuses the bind: ask the operator what the status means; often the settings bind, smsc.systemType or smsc.addressRange are wrong':
    'le SMSC refuse le bind : demandez à l’opérateur ce que veut dire le statut ; souvent, les réglages bind, smsc.systemType ou smsc.addressRange sont faux',
  'the SMSC unbound us: it restarts, or the operator closed the account':
    'le SMSC nous a déliés : il redémarre, ou l’opérateur a fermé le compte',
  'a setting of smsc does not fit into a bind request: correct the one named here':
    'un réglage de smsc n’entre pas dans une requête de bind : corrigez celui qui est nommé ici',
  'the address or the files of smsc.tls cannot be used: correct them':
    'l’adresse ou les fichiers de smsc.tls sont inutilisables : corrigez-les',
  'waits for the first bind of the line, so that a wrong password is tried only once':
    'attend le premier bind de la ligne, pour qu’un mot de passe faux ne soit essayé qu’une fois',
}

/** With what differs from case to case. */
const PATTERNS: readonly [english: RegExp, french: string][] = [
  [/^refused: (.*)$/, 'refusé : $1'],
  [/^the SMSC refused it with (.+)$/, 'le SMSC l’a refusé avec $1'],
  [
    /^the SMSC asked us to wait, (\d+) times; the last time with (.+)$/,
    'le SMSC nous a demandé d’attendre, $1 fois ; la dernière avec $2',
  ],
  [/^the SMSC asked us to wait, (\d+) times$/, 'le SMSC nous a demandé d’attendre, $1 fois'],
  [
    /^the SMSC asked us to wait; the last time with (.+)$/,
    'le SMSC nous a demandé d’attendre ; la dernière fois avec $1',
  ],
  [/^the receipt says (.+)$/, 'l’accusé dit $1'],
  [
    /^this machine is (-?\d+) ms ahead of (.+): it takes no turns$/,
    'cette machine avance de $1 ms sur $2 : elle ne prend aucun tour',
  ],
  [
    /^is (.+) running, and can this machine reach it\? docs\/OPERATIONS\.md, its chapter$/,
    '$1 tourne-t-il, et cette machine peut-elle le joindre ? docs/OPERATIONS.md, son chapitre',
  ],
  [/^it ended at (.+)$/, 'il a expiré le $1'],
  [/^it ends at (.+)$/, 'il expire le $1'],
]
/** Behind a reason: what the network said. */
const ERROR = / \(error (.+) of the network\)$/
/** A status with its name, and what it means. */
const STATUS = /(0x[0-9A-F]+(?: \w+)?): (.+)$/

export function saidInFrench(text: string): string {
  const [tail, code] = ERROR.exec(text) ?? []
  if (tail !== undefined) return `${saidInFrench(text.slice(0, -tail.length))} (erreur ${code} du réseau)`
  const known = EXACT[text]
  if (known !== undefined) return known
  const found = PATTERNS.find(([english]) => english.test(text))
  const said = found ? text.replace(...found) : text
  return said.replace(STATUS, (_, status: string, means: string) => `${status} : ${STATUS_FR[means] ?? means}`)
}
