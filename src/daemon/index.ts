/** Wiring only: builds everything from the settings, starts and stops it. */
export {
  absentSamples,
  configuredModules,
  contractOfApp,
  createBackends,
  declaredBy,
  loadModule,
  type LoadedModule,
  type ModuleHost,
  smsCallable,
} from './backends/index.ts'
export { type DaemonOptions, startDaemon } from './daemon.ts'
export { profileDirs, wishesOf } from './lines/index.ts'
export { pinPepperOf } from './pin-pepper.ts'
export { forgottenByFleet, personalDeps, recordingOf } from './records/index.ts'
export { runDaemon } from './run.ts'
export { daemonName, inData, logKey } from './runtime.ts'
export { openStores, serverOf } from './stores/index.ts'
export { startSampleWallet, sampleModule } from './samples.ts'
export { tlsOf } from './tls.ts'
