/** Lines of admin.tokensFile for tests that do everything. */
import { ROLE_NAMES } from '../../src/admin/roles.ts'

/** All roles, as such a line has them. */
export const ALL_ROLES = ROLE_NAMES.join()
