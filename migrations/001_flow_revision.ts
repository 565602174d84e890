/** The sources of all flow revisions that ever served: a dialogue finishes on the revision with which it began. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('flow_revision', (table) => {
    table.text('revision').primary()
    table.text('name').notNullable().index()
    table.text('source').notNullable()
    table.timestamp('created_at').notNullable().defaultTo(knex.fn.now())
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('flow_revision')
}
