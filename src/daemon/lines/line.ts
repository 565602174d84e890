/** One line of the settings as it runs: its dialect, its binds, and the print by which a change of it is seen. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { ConfiguredLine, Settings } from '../../config/index.ts'
import { packageRoot } from '../../base/index.ts'
import { loadProfile, compileDialect } from '../../smpp/dialect/index.ts'
import { smppLine, type LineDeps, lineSettings } from '../../smpp/session/index.ts'
import type { Line } from '../../smpp/index.ts'
import { numberingOf } from '../../ussd/index.ts'
import { tlsOf } from '../tls.ts'

export type MakeDeps = Omit<LineDeps, 'dialect'> & { dialects: Settings['dialects'] }

/** A line that does nothing until it is started. Throws ProblemsError for its profile, UsageError for its files. */
export function makeLine(settings: ConfiguredLine, { dialects, ...parts }: MakeDeps): Line {
  const profile = loadProfile(settings.dialect, profileDirs(dialects))
  const dialect = compileDialect(profile, { numbering: numberingOf(settings), chance: parts.chance })
  return smppLine(wishesOf(settings), { ...parts, dialect })
}

/** Differs when the settings of the line, its profile, its password or its certificates do. Throws as makeLine does. */
export function printOf(settings: ConfiguredLine, dialects: Settings['dialects']): string {
  const { tls } = settings.smsc
  const said = [settings, loadProfile(settings.dialect, profileDirs(dialects)), tls ? tlsOf(tls, 'smsc.tls') : null]
  return createHash('sha256').update(JSON.stringify(said)).digest('hex')
}

/** A path stands for itself; a name is looked up in the operator's folder, then in ours. */
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
    ...(sms ? { sms: sourceOf(sms) } : {}),
    limits: {
      windowSlots: settings.window,
      pduReadMs: timers.pduReadMs,
      ...(sms ? { smsPerSecond: sms.perSecond } : {}),
    },
    times: timers,
  })
}

/** TON and NPI of an SMS source, as networks expect them: alphanumeric, short code, or international number. */
function sourceOf(sms: NonNullable<ConfiguredLine['sms']>) {
  const digits = /^\d+$/.test(sms.source)
  return {
    source: sms.source,
    sourceTon: sms.sourceTon ?? (digits ? (sms.source.length <= 6 ? 3 : 1) : 5),
    sourceNpi: sms.sourceNpi ?? (digits ? 1 : 0),
  }
}

/** The line groups that may have dialogues under these settings. */
export function groupsOf(settings: Settings): string[] {
  const groups = settings.lines.map((line) => line.group ?? line.name)
  return [...new Set(settings.door ? [...groups, settings.door.name] : groups)]
}
