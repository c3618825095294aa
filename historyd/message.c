// SPDX-License-Identifier: MIT
/* message.c — what the handlers of a message share: whether what it names is kept here. */
#include "historyd/state.h"

bool message_owns(struct message *m, struct str name)
{
	struct topology *t = &m->h->topology;
	bool is_owner = topology_owns(t->historyds, t->id, name);
	if (!is_owner)
		topology_note(t, TOPOLOGY_WRONG_SHARD, &m->source, &m->env);
	return is_owner;
}

enum err message_find_log(struct message *m, struct str room, struct room_log **log)
{
	if (room.len == 0)
		return ERR_BAD_FIELD;
	return message_owns(m, room) ? room_logs_find(&m->h->logs, room, log) : ERR_UNAVAILABLE;
}
