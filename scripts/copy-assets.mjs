// Copies what tsc does not: the static files of the web pages, beside the compiled code that serves them.
import { cpSync, existsSync, chmodSync } from 'node:fs'

for (const folder of ['src/simulator/web']) {
  if (existsSync(folder)) cpSync(folder, `dist/${folder}`, { recursive: true })
}
if (existsSync('dist/src/cli/main.js')) chmodSync('dist/src/cli/main.js', 0o755)
