export { stopServices as mochaGlobalTeardown } from './services.ts'
