/** One line of the settings as it runs: its dialect, its binds, and the print that shows a change. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { capAccount, type ConfiguredLine, type Settings } from '../../config/index.ts'
import { packageRoot } from '../../base/index.ts'
import { loadProfile, compileDialect, type DialectProfile } from '../../smpp/dialect/index.ts'
import { smppLine, type LineDeps, lineSettings, type LineTuning, type TunableLine } from '../../smpp/session/index.ts'
import { numberingOf, senderOf } from '../../ussd/index.ts'
import { tlsOf } from '../tls.ts'

/** What a line is created from, besides its settings. */
export interface LineSource {
  profile: DialectProfile
  /**
   * A hash of everything that a bind depends on: where it leads, its password, its certificates, its window and timers.
   * Of its cap only whether there is one, and of which account.
   */
  print: string
  /** A hash of what changes while the binds stay: who may dial, how numbers are read, the dialect, SMS. */
  tuning: string
}

/** Throws ProblemsError if the profile is wrong, UsageError if a file of the line is. */
export function readLine(settings: ConfiguredLine, dialects: Settings['dialects']): LineSource {
  const { tls } = settings.smsc
  const profile = loadProfile(settings.dialect, profileDirs(dialects))
  const { msisdn, sms, dialect, submits, allowPlaintext: _checked, ...binding } = settings
  const cap = submits.perSecond !== undefined && capAccount(settings)
  return {
    profile,
    print: hashOf([binding, cap, tls ? tlsOf(tls, 'smsc.tls') : null]),
    tuning: hashOf([msisdn, sms ?? null, dialect, submits, profile]),
  }
}

function hashOf(said: unknown): string {
  return createHash('sha256').update(JSON.stringify(said)).digest('hex')
}

/** A line that does nothing until it starts. Throws UsageError if a file of it is wrong. */
export function makeLine(
  settings: ConfiguredLine,
  profile: DialectProfile,
  deps: Omit<LineDeps, 'dialect'>,
): TunableLine {
  const dialect = compileDialect(profile, { numbering: numberingOf(settings), chance: deps.chance })
  return smppLine(wishesOf(settings), { ...deps, dialect })
}

const NO_SENDER = { source: '', sourceTon: 0, sourceNpi: 0 }

/** What a line with these settings is tuned to. */
export function tuningOf(settings: ConfiguredLine, profile: DialectProfile, chance: LineDeps['chance']): LineTuning {
  const { sms } = settings
  const dialect = compileDialect(profile, { numbering: numberingOf(settings), chance })
  return { dialect, sms: sms ? senderOf(sms) : NO_SENDER, smsPerSecond: sms?.perSecond }
}

/** A path is used as it is; a name is looked up in the operator's folder, then in ours. */
export function profileDirs({ dir }: Settings['dialects']): string[] {
  return [...(dir ? [dir] : []), join(packageRoot, 'dialects')]
}

export function wishesOf(settings: ConfiguredLine): ReturnType<typeof lineSettings> {
  const { smsc, timers, sms } = settings
  return lineSettings({
    name: settings.name,
    ...(settings.group ? { group: settings.group } : {}),
    bind: settings.bind,
    links: settings.links,
    smsc: {
      hosts: [{ host: smsc.host, port: smsc.port }, ...smsc.more],
      systemId: smsc.systemId,
      password: smsc.password ?? '',
      systemType: smsc.systemType,
      addressRange: smsc.addressRange,
      addrTon: smsc.addrTon,
      addrNpi: smsc.addrNpi,
      ...(smsc.tls ? { tls: tlsOf(smsc.tls, 'smsc.tls') } : {}),
    },
    ...(sms ? { sms: senderOf(sms) } : {}),
    limits: {
      windowSlots: settings.window,
      pduReadMs: timers.pduReadMs,
      togetherMs: timers.togetherMs,
      ...(sms ? { smsPerSecond: sms.perSecond } : {}),
    },
    times: timers,
  })
}

/** The line groups that may have dialogues under these settings. */
export function groupsOf(settings: Settings): string[] {
  const groups = settings.lines.map((line) => line.group ?? line.name)
  return [...new Set(settings.door ? [...groups, settings.door.name] : groups)]
}
