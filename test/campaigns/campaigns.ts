/**
 * The campaigns, in the order they run: one line each. A new one is a file in `runs` and a line here (and a line in
 * goals.ts for a goal that is not there yet). It owes a result for each of the goals that it names.
 */
import type { Campaign } from './judging/outcome.ts'

export interface CampaignEntry {
  name: string
  goals: readonly string[]
  /** Loaded only when it is to run. */
  load(): Promise<Campaign>
  /** It starts daemons as processes: the sources are compiled first. */
  compiled: boolean
  /**
   * Its goal is also one of time, which a busy machine may spoil, and it does not itself go on until it is certain: it
   * is run again.
   */
  timed: boolean
}

export const CAMPAIGNS: readonly CampaignEntry[] = [
  entry('stores', 'R6 R7 R8 R9 R16', async () => (await import('./runs/stores.ts')).storesCampaign),
  entry('canaries', 'R17', async () => (await import('./runs/canaries.ts')).canariesCampaign),
  entry('backends', 'R19', async () => (await import('./runs/backends.ts')).backendsCampaign, 'alone'),
  entry('hardening', 'R18', async () => (await import('./runs/hardening.ts')).hardeningCampaign, 'alone'),
  entry('planted', 'P1', async () => (await import('./runs/planted.ts')).plantedCampaign, 'alone'),
  entry('simulation', 'R13', async () => (await import('../simulation/campaign.ts')).simulationCampaign, 'alone'),
  entry('kill', 'R1 R2 R3', async () => (await import('./runs/kill.ts')).killCampaign),
  entry('asked', 'R21', async () => (await import('./runs/asked.ts')).askedCampaign),
  entry('records', 'R22 R23', async () => (await import('./runs/records.ts')).recordsCampaign),
  entry('flows', 'R15', async () => (await import('./runs/flows.ts')).flowsCampaign),
  entry('fuzz', 'R4', async () => (await import('./runs/fuzz.ts')).fuzzCampaign, 'timed'),
  entry('cuts', 'R5', async () => (await import('./runs/cuts.ts')).cutsCampaign),
  entry('throttle', 'R10', async () => (await import('./runs/throttle.ts')).throttleCampaign, 'timed'),
  entry('cluster', 'H1', async () => (await import('./runs/cluster.ts')).clusterCampaign),
  entry('sentinel', 'H2', async () => (await import('./runs/sentinel.ts')).sentinelCampaign),
  entry('postgres', 'H3', async () => (await import('./runs/postgres.ts')).postgresCampaign),
  entry('several', 'H4 H5', async () => (await import('./runs/several.ts')).severalCampaign),
  entry('standby', 'H6', async () => (await import('./runs/standby.ts')).standbyCampaign),
  entry('clocks', 'C1', async () => (await import('./runs/clocks.ts')).clocksCampaign),
  entry('upgrade', 'H7', async () => (await import('./runs/upgrade.ts')).upgradeCampaign),
  entry('flood', 'R12', async () => (await import('./runs/flood.ts')).floodCampaign),
  entry('crowd', 'A1', async () => (await import('./runs/crowd.ts')).crowdCampaign, 'timed'),
  entry('time', 'R14', async () => (await import('./runs/time.ts')).timeCampaign, 'alone'),
  entry('soak', 'R11', async () => (await import('./runs/soak.ts')).soakCampaign, 'timed'),
  entry('mutants', 'R20', async () => (await import('./runs/mutants.ts')).mutantsCampaign, 'alone'),
]

type Trait = 'alone' | 'timed'

/** With daemons as processes, unless it works `alone`; `timed`: see CampaignEntry. */
function entry(name: string, goals: string, load: () => Promise<Campaign>, ...traits: Trait[]): CampaignEntry {
  const has = (trait: Trait) => traits.includes(trait)
  return { name, goals: goals.split(' '), load, compiled: !has('alone'), timed: has('timed') }
}
