/** The admin routes, one file each. */
export { adminRoutes, type Admitted } from './routes.ts'
