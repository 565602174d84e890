/** `flow import`: imports a journey of ussd-engine as a flow file, with a report of the differences. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '../../base/index.ts'
import { importJourney, reportOf } from '../../tools/flow-import/index.ts'

export interface ImportOptions {
  out: string
  name?: string
  backend?: string
  force?: boolean
}

/** Writes the flow. The exit code is 1 if a part of the journey could not be imported. */
export function importFlow(
  path: string,
  { out, name, backend, force }: ImportOptions,
  say: (text: string) => void,
): void {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`)
  const named = { flow: name ?? basename(path).replace(/\.ya?ml$/, ''), ...(backend === undefined ? {} : { backend }) }
  const imported = importJourney({ file: path, text: readFileSync(path, 'utf8') }, named, (file, from) => {
    const beside = join(dirname(from), file)
    return { file: beside, text: readFileSync(beside, 'utf8') }
  })
  const target = join(out, `${imported.name}.yaml`)
  if (existsSync(target) && !force)
    throw new UsageError(`${target} exists already: --force overwrites it, --name gives the flow another name`)
  mkdirSync(out, { recursive: true })
  writeFileSync(target, imported.text)
  for (const line of reportOf(imported)) say(line)
  say(`wrote ${target}: now run ussd-connector check ${target}`)
  if (imported.remarks.some(({ lost }) => lost)) process.exitCode = 1
}
