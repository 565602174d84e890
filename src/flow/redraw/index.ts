/** Screens of kept revisions, redrawn afterwards: for support. */
export { isSecretScreen, redrawnScreen } from './screen.ts'
