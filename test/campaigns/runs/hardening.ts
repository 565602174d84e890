/**
 * R18: the units, the image and the compose file as they are shipped: scored by systemd, and read for what they must
 * have.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/base/package-root.ts'
import { composeFaults, dockerfileFaults, exposure, EXPOSURE_MAX, unitFaults } from '../hardening.ts'
import { told, type Campaign } from '../judging/outcome.ts'

export const hardeningCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const read = (file: string) => readFileSync(join(packageRoot, file), 'utf8')
  const units = ['deploy/ussd-connector.service', 'deploy/ussd-connector@.service']
  const scores = units.flatMap((unit) => exposure(join(packageRoot, unit)) ?? [])
  const score = scores.length === units.length ? Math.max(...scores) : undefined
  const failures = [
    ...units.flatMap((unit) => unitFaults(read(unit))),
    ...dockerfileFaults(read('Dockerfile'), packageRoot),
    ...composeFaults(read('deploy/compose.yaml')),
  ]
  const found = failures.length
  if (score === undefined) failures.push('systemd-analyze is not here: no score')
  else if (score > EXPOSURE_MAX) failures.push(`systemd-analyze security says ${score}, over ${EXPOSURE_MAX}`)
  return [
    told(parts, startMs, {
      goal: 'R18',
      title: 'systemd units scored offline; units, Dockerfile and compose file read for what they must have',
      passed: failures.length === 0,
      figure: `exposure ${score ?? '?'} of at most ${EXPOSURE_MAX}, ${found} faults in units, image and compose file`,
      counts: { exposure: score ?? '?' },
      failures,
    }),
  ]
}
