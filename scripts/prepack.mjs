// Before `npm pack` and `npm publish`: builds the program from scratch, so that no package lacks it or has an old one.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'

if (!existsSync('node_modules/typescript')) {
  console.error('The package cannot be built: its tools are missing. Run `npm ci` first.')
  process.exit(1)
}
rmSync('dist', { recursive: true, force: true })
// npm's own path, so that the npm that packs also builds. Its output would get into the answer of `npm pack --json`.
const built = spawnSync(process.execPath, [process.env.npm_execpath, 'run', '--silent', 'build'], {
  stdio: ['ignore', 2, 2],
})
if (built.status !== 0 || !existsSync('dist/src/cli/main.js')) {
  console.error('The package cannot be built: see above.')
  process.exit(1)
}
