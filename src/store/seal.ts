/**
 * Makes stored dialogues unreadable without a key: AES-256-GCM with a separate key per dialogue, and names that are a
 * keyed hash of the number. Without keys everything is stored unencrypted.
 *
 * Sealed text is `-2<key id>.<base64url of nonce, ciphertext, tag>`: no plain word or line begins with `-` and
 * continues. The seal also authenticates what the text belongs to: the dialogue's name, and what the caller binds it to
 * (which field, of which dialogue and turn). So a text that was moved does not open, even from another dialogue of the
 * same subscriber.
 *
 * Once there are keys, unsealed text is refused: somebody with access to the store could have written it. Up to a
 * moment in the settings (privacy.plainUntil), text that was stored plain, or by a release that bound a seal only to
 * the name (`-<key id>.…`), is still read, and counted.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { bucketOf, HIDDEN, keyOfName, nameOfKey, type DialogueKey } from '../dialogue/index.ts'
import { remembered, StoreError } from '../base/index.ts'

export interface StoreKey {
  /** It is stored with everything that the key sealed. */
  id: string
  /** 32 octets. */
  secret: Buffer
}

/**
 * The keys for reading, the one for writing, and the one that hides numbers in names, which stays when others change.
 */
export interface KeyRing {
  names: Buffer
  keys: readonly StoreKey[]
  writer: StoreKey
}

/** The place of one dialogue in a store. */
export interface SealPlace {
  /** Null: the name hides the number; the record has it. */
  key: DialogueKey | null
  /** The name of the key in the store. */
  name: string
  /** Where it may still be from before there were keys. */
  former?: string
  /** Whether the name hides the number, so that the record must have it. */
  hidesNumber: boolean
  /** Unreadable octets, or the text itself. It opens only with what it is bound to. */
  seal(text: string, bound: string): string
  /**
   * Throws StoreError: 'sealed' if its key is not here, 'corrupt' if it was altered or moved, 'unsealed' if it is not
   * bound.
   */
  open(stored: string, bound: string): string
}

export interface Sealer {
  readonly seals: boolean
  place(key: DialogueKey): SealPlace
  /** The place of a name from the deadline index. */
  named(name: string): SealPlace
  /** What replaces a number in names. Null if names have the number itself. */
  hidden(msisdn: string): string | null
  /** A word that no other file or record has. */
  fresh(): string
}

function isSealed(stored: string): boolean {
  return stored.length > 1 && stored.startsWith('-')
}

/** Stores everything unencrypted. Sealed text does not open. */
export const plainSealer: Sealer = {
  seals: false,
  place: (key) => plainPlace(nameOfKey(key), key),
  named: (name) => plainPlace(name, isHidden(name) ? null : keyOfName(name)),
  hidden: () => null,
  fresh: () => '',
}

function plainPlace(name: string, key: DialogueKey | null): SealPlace {
  return { key, name, hidesNumber: false, seal: sealPlain, open: openPlain }
}

function sealPlain(text: string): string {
  return text
}

function openPlain(stored: string): string {
  if (isSealed(stored)) throw unknownKey(idOf(stored))
  return stored
}

export interface SealerDeps {
  /** Called at each use: keys change while the daemon runs. */
  ring(): KeyRing
  /** Returns this many random octets. */
  random(octets: number): Uint8Array
  /** For text that was stored without a bound seal. Default: it does not open. */
  plain?: {
    /** Called at each use: the permission expires. */
    allowed(): boolean
    /** Called for each text that was read. */
    onRead(): void
  }
}

const NONCE = 12
const TAG = 16
/** How many dialogues' derived keys are kept: deriving one costs as much as sealing. */
const DERIVED_MAX = 20_000
/** The octets of the hash that replaces a number: 96 bits do not collide by chance. */
const HASH_OCTETS = 12

interface Derived {
  id: string
  cipher: Buffer
  /** What is authenticated if nothing is bound to it. */
  name: Buffer
}

export function createSealer({ ring, random, plain }: SealerDeps): Sealer {
  const { derive, hidden, hide, known } = keysFrom(ring)
  const allowed = () => {
    if (!plain?.allowed()) throw unsealed()
    plain.onRead()
  }
  const placeOf = (key: DialogueKey | null, hiddenName: string, name: string, former?: string): SealPlace => ({
    key,
    name,
    ...(former === undefined ? {} : { former }),
    seal: (text, bound) =>
      seal(derive(ring().writer, hiddenName), text, { nonce: random(NONCE), bound: about(hiddenName, bound) }),
    open(stored, bound) {
      if (isBound(stored)) return open(derive(known(stored), hiddenName), stored, about(hiddenName, bound))
      allowed()
      return isSealed(stored) ? open(derive(known(stored), hiddenName), stored) : stored
    },
    hidesNumber: isHidden(name),
  })
  return {
    seals: true,
    hidden,
    place(key) {
      const former = nameOfKey(key)
      const name = hide(key, former)
      return placeOf(key, name, name, plain?.allowed() ? former : undefined)
    },
    named(name) {
      if (isHidden(name)) return placeOf(null, name, name)
      const key = keyOfName(name)
      return placeOf(key, hide(key, name), name)
    },
    fresh: () => Buffer.from(random(HASH_OCTETS)).toString('base64url'),
  }
}

/** What is derived from the keys of the ring: a key per dialogue, and the names that hide numbers. */
function keysFrom(ring: SealerDeps['ring']) {
  const derived = remembered<Derived>(DERIVED_MAX)
  const names = remembered<string>(DERIVED_MAX)
  const hidden = (msisdn: string) =>
    createHmac('sha256', ring().names)
      .update(`msisdn ${msisdn}`)
      .digest()
      .subarray(0, HASH_OCTETS)
      .toString('base64url')
  return {
    hidden,
    /** A separate key per dialogue: random nonces of 96 bits are then always enough. */
    derive: ({ id, secret }: StoreKey, name: string): Derived =>
      derived(`${id} ${name}`, () => {
        const octets = createHmac('sha512', secret).update(`dialogue ${name}`).digest()
        return { id, cipher: octets.subarray(0, 32), name: Buffer.from(name) }
      }),
    /** The bucket is that of the plain name: one script can then look in both places, also in a Cluster. */
    hide: (key: DialogueKey, plain = nameOfKey(key)) =>
      names(plain, () => `${key.group}:${HIDDEN}${String(bucketOf(plain)).padStart(2, '0')}${hidden(key.msisdn)}`),
    known(stored: string): StoreKey {
      const id = idOf(stored)
      const key = ring().keys.find((one) => one.id === id)
      if (!key) throw unknownKey(id)
      return key
    },
  }
}

/**
 * Marks a seal that is bound to more than the name. No key id begins like this, so an earlier release reports that it
 * has no such key.
 */
const BOUND = '-2'

function isBound(stored: string): boolean {
  return stored.startsWith(BOUND)
}

function idOf(stored: string): string {
  return stored.slice(isBound(stored) ? BOUND.length : 1, stored.indexOf('.'))
}

function about(name: string, bound: string): Buffer {
  return Buffer.from(`${name}\n${bound}`)
}

interface Sealing {
  nonce: Uint8Array
  /** Default: only the name, for words that equal texts share. */
  bound?: Buffer
}

function seal({ id, cipher, name }: Derived, text: string, { nonce, bound }: Sealing): string {
  const gcm = createCipheriv('aes-256-gcm', cipher, nonce).setAAD(bound ?? name)
  const sealed = gcm.update(text, 'utf8')
  gcm.final() // GCM returns nothing more
  const octets = Buffer.concat([nonce, sealed, gcm.getAuthTag()])
  return `${bound ? BOUND : '-'}${id}.${octets.toString('base64url')}`
}

function open({ cipher, name }: Derived, stored: string, bound = name): string {
  const octets = Buffer.from(stored.slice(stored.indexOf('.') + 1), 'base64url')
  try {
    const gcm = createDecipheriv('aes-256-gcm', cipher, octets.subarray(0, NONCE), { authTagLength: TAG })
    gcm.setAAD(bound).setAuthTag(octets.subarray(-TAG))
    return gcm.update(octets.subarray(NONCE, -TAG), undefined, 'utf8') + gcm.final('utf8')
  } catch {
    throw new StoreError('corrupt', 'a sealed value was altered, moved, or sealed by another key of this id')
  }
}

function unknownKey(id: string): StoreError {
  return new StoreError('sealed', `a dialogue is sealed with key '${id}', which is not in privacy.storeKeyFile`)
}

function unsealed(): StoreError {
  return new StoreError(
    'unsealed',
    'a stored value has no seal of this release: it is of an earlier one, from before there was ' +
      'a key, or forged (privacy.plainUntil lets the first two be read for a while)',
  )
}

function isHidden(name: string): boolean {
  return name.charAt(name.lastIndexOf(':') + 1) === HIDDEN
}
