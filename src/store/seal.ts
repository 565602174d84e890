/**
 * What makes stored dialogues unreadable without a key: AES-256-GCM under a key of each dialogue's own, and names that
 * are a keyed hash of the number. Without keys everything is stored as it is.
 *
 * Sealed text is `-2<key id>.<base64url of nonce, ciphertext, tag>`: no plain word or line begins with `-` and goes on.
 * Authenticated with it is what it belongs to: the dialogue's name, and what the caller binds it to (which field, of
 * which dialogue and turn). So what was moved does not open, be it from another dialogue of the same subscriber.
 *
 * Once there are keys, what is not sealed so does not open: whoever reaches the store could have written it. Up to a
 * moment that the settings name (privacy.plainUntil) what was stored plain, or by a release that bound a seal to the
 * name alone (`-<key id>.…`), is still read, and counted.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { bucketOf, HIDDEN, keyOfName, nameOfKey, type DialogueKey } from '../dialogue/index.ts'
import { remembered, StoreError } from '../base/index.ts'

export interface StoreKey {
  /** Stands with everything that it sealed. */
  id: string
  /** 32 octets. */
  secret: Buffer
}

/**
 * Keys to read with, the one to write with, and the one that hides numbers in names, which stays when others change.
 */
export interface KeyRing {
  names: Buffer
  keys: readonly StoreKey[]
  writer: StoreKey
}

/** One dialogue's place in a store. */
export interface SealPlace {
  /** Null: the name hides the number; the record tells it. */
  key: DialogueKey | null
  /** Of the key in the store. */
  name: string
  /** Where it may still stand from before there were keys. */
  former?: string
  /** Whether the name tells nobody the number, so that the record must. */
  hidesNumber: boolean
  /** Octets that are unreadable, or the text itself. It opens as what it is bound to, and as nothing else. */
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
  /** The place of a name that stands in the deadline index. */
  named(name: string): SealPlace
  /** What stands for a number in names; null where the number itself does. */
  hidden(msisdn: string): string | null
  /** A word that no other file or record has. */
  fresh(): string
}

function isSealed(stored: string): boolean {
  return stored.length > 1 && stored.startsWith('-')
}

/** Stores everything as it is; what was sealed does not open. */
export const plainSealer: Sealer = {
  seals: false,
  place: (key) => plainPlace(nameOfKey(key), key),
  named: (name) => plainPlace(name, isHidden(name) ? null : keyOfName(name)),
  hidden: () => null,
  fresh: () => '',
}

function plainPlace(name: string, key: DialogueKey | null): SealPlace {
  return { key, name, hidesNumber: false, seal: (text) => text, open: openPlain }
}

function openPlain(stored: string): string {
  if (isSealed(stored)) throw unknownKey(idOf(stored))
  return stored
}

export interface SealerDeps {
  /** Asked at each use: keys change while the daemon runs. */
  ring(): KeyRing
  /** That many random octets. */
  random(octets: number): Uint8Array
  /** What was stored without a bound seal. Default: it does not open. */
  plain?: {
    /** Asked at each use: it has an end. */
    allowed(): boolean
    /** Told of each that was read. */
    onRead(): void
  }
}

const NONCE = 12
const TAG = 16
/** Dialogues whose derived keys are kept: deriving one costs as much as sealing. */
const DERIVED_MAX = 20_000
/** Octets of the hash that stands for a number: 96 bits do not meet by chance. */
const HASH_OCTETS = 12

interface Derived {
  id: string
  cipher: Buffer
  /** What is authenticated where nothing is bound to it. */
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

/** What is made of the keys of the ring: a key for each dialogue, and the names that hide numbers. */
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
    /** A key of each dialogue's own: random nonces of 96 bits then never run out. */
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
 * Of a seal that is bound to more than the name: no id of a key begins so, so an earlier release says that it has no
 * such key.
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
  /** Default: the name alone, for words that equal texts share. */
  bound?: Buffer
}

function seal({ id, cipher, name }: Derived, text: string, { nonce, bound }: Sealing): string {
  const gcm = createCipheriv('aes-256-gcm', cipher, nonce).setAAD(bound ?? name)
  const sealed = gcm.update(text, 'utf8')
  gcm.final() // GCM has nothing left to give
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
