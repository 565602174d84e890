/**
 * Files of call detail records for mediation (docs/RECORDS.md): which were cut, and whether they were written. A row of
 * `cdr` says in `file` which one it is in. `mediation_writer`: the daemon that writes them now.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('mediation_file', (table) => {
    table.bigIncrements('id')
    table.text('partner').notNullable()
    // Of this partner, without gaps.
    table.bigInteger('seq').notNullable()
    table.timestamp('cut_at').notNullable()
    table.text('format').notNullable()
    table.text('unit').notNullable()
    table.integer('rows').notNullable()
    // Null: it is not written yet, or the daemon died meanwhile.
    table.timestamp('written_at')
    table.text('sha256')
    table.unique(['partner', 'seq'])
  })
  await knex.raw('CREATE INDEX mediation_file_open ON mediation_file (id) WHERE written_at IS NULL')
  await knex.schema.createTable('mediation_writer', (table) => {
    table.text('name').primary()
    table.text('holder').notNullable()
    table.timestamp('until').notNullable()
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('mediation_writer')
  await knex.schema.dropTable('mediation_file')
}
