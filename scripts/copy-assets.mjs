// Copies what tsc does not copy: files beside the compiled code that serves or reads them. The folder is that of tsc's
// output; default: dist.
import { cpSync, existsSync, chmodSync } from 'node:fs'

const out = process.argv[2] ?? 'dist'
for (const folder of ['src/base/web', 'src/desk/web', 'src/simulator/web', 'src/cli/dev/web', 'src/cli/smsc/web']) {
  if (existsSync(folder)) cpSync(folder, `${out}/${folder}`, { recursive: true })
}
if (existsSync(`${out}/samples/dental`)) cpSync('samples/dental/sms.yaml', `${out}/samples/dental/sms.yaml`)
if (existsSync(`${out}/src/cli/main.js`)) chmodSync(`${out}/src/cli/main.js`, 0o755)
