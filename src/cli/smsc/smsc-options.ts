/** The SMSC to which `probe` and `doctor` bind: a line of the settings, or the options of the command. */
import { loadSettings, type ConfiguredLine } from '../../config/index.ts'
import { profileDirs, wishesOf, tlsOf } from '../../daemon/index.ts'
import { readSecretFile, saidOfFault, UsageError } from '../../base/index.ts'
import { lineSettings, type LineSettings } from '../../smpp/session/index.ts'

export interface SmscCommandOptions {
  config?: string
  line?: string
  host?: string
  port?: number
  systemId?: string
  password?: string
  passwordFile?: string
  systemType?: string
  tls?: boolean
  ca?: string
  cert?: string
  key?: string
  servername?: string
}

export interface ChosenSmsc {
  line: LineSettings
  /** From the settings: the name of the profile, and where profiles are. */
  dialect?: { name: string; dirs: string[] }
  /** From the settings: how SMS are written. */
  sms?: ConfiguredLine['sms']
}

/** Throws UsageError if the options name no SMSC, or files that cannot be read. */
export function chosenSmsc(options: SmscCommandOptions, command: string): ChosenSmsc {
  if (options.config !== undefined) {
    const { settings } = loadSettings(options.config, process.env)
    const found = options.line === undefined ? settings.lines[0] : settings.lines.find((it) => it.name === options.line)
    const names = settings.lines.map((it) => it.name).join(', ') || 'none'
    if (!found) throw new UsageError(`there is no line ${options.line ?? ''}; the settings have ${names}`)
    return {
      line: wishesOf(found),
      dialect: { name: found.dialect, dirs: profileDirs(settings.dialects) },
      sms: found.sms,
    }
  }
  const { host, port, systemId, systemType } = options
  if (host === undefined || port === undefined || systemId === undefined) {
    throw new UsageError(`${command}: give --host, --port and --system-id, or --config and --line`)
  }
  const tls = tlsWanted(options)
  return {
    line: lineSettings({
      name: options.line ?? 'operator',
      smsc: {
        hosts: [{ host, port }],
        systemId,
        password: passwordOf(options),
        ...(systemType === undefined ? {} : { systemType }),
        ...(tls ? { tls: tlsOf(tls, command) } : {}),
      },
    }),
  }
}

function tlsWanted({ tls, ca, cert, key, servername }: SmscCommandOptions): ConfiguredLine['smsc']['tls'] | null {
  const isTls = tls === true || [ca, cert, key, servername].some((it) => it !== undefined)
  return isTls ? { ca, cert, key, servername } : null
}

function passwordOf({ password, passwordFile }: SmscCommandOptions): string {
  if (passwordFile === undefined) return password ?? ''
  if (password !== undefined) throw new UsageError('give --password or --password-file, not both')
  const read = readSecretFile(passwordFile)
  if ('text' in read) return read.text.replace(/\r?\n$/, '')
  throw new UsageError(saidOfFault(read, '--password-file'))
}
