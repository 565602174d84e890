/** docs/reference/CONTRACT-SOURCES.md: where the public can read what each contract does, from the contracts. */
import { contractNames, loadContract } from '../../src/backend/contracts/index.ts'
import { code, generated, table } from './page.ts'

const HEAD = `# Sources of the contracts

Where each [contract](../CONTRACTS.md) is described in public, and on what day we read it there (as a stored copy of the page, which may be
older than that day). Providers change such pages without notice: compare before you rely on
one. A contract without a public source was composed from applications that are written for it; ask the provider for its document. \`ussd-connector contract list\` shows the same.
`

export function contractSourcesPage(): string {
  const rows = contractNames().map((name) => {
    const { sources } = loadContract(name)
    return sources.length
      ? [code(name), sources.map(({ url }) => `<${url}>`).join(' · '), sources.map(({ read }) => read).toSorted()[0]!]
      : [code(name), 'no public source', '']
  })
  return generated(HEAD, table(['contract', 'public source', 'read'], rows))
}
