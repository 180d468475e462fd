// One record: what it says, editing it, what happened to it, and why it says what it says.

import {ApiError, call, get, post, query, recordPath} from './client.js';
import {busy, button, confirmed, empty, failed, h, loading, notice, toast} from './dom.js';
import {fieldForm} from './fields.js';
import {crumbs, fieldsOf, linkOf} from './records.js';
import {onRecords, refreshSchema} from './state.js';
import {fullTime, plural, time, valueText, writer} from './words.js';

const kViews = [['', 'Record'], ['history', 'History'], ['why', 'Why']];

function stamp(when) {
    return when ? h('time', {datetime: when, title: fullTime(when)}, time(when)) : 'unknown time';
}

function valueNode(value) {
    if (value === undefined || value === null || value === '')
        return h('span', {class: 'soft'}, valueText(value));
    if (Array.isArray(value))
        return value.length
            ? h('ul', {class: 'chips'}, value.map((one) =>
                h('li', {class: 'chip'}, valueText(one, 2000))))
            : h('span', {class: 'soft'}, 'none');
    if (typeof value === 'object')
        return h('dl', {class: 'pairs'}, Object.entries(value).map(([key, one]) =>
            [h('dt', {}, key), h('dd', {}, valueNode(one))]));
    return h('span', {class: 'value'}, valueText(value, 100000));
}

// ---- the record and its form -------------------------------------------------------------------

function reading(record, {edit, remove}) {
    const fights = Object.keys(record.conflicts);
    return [
        record.alias && notice('info', `“${record.alias}” is another name for this record`, ''),
        fights.length > 0 && notice('warn', 'Two people changed this at the same time',
            `${fights.join(', ')}: one value is shown, the other is kept until somebody decides.`,
            h('p', {}, h('a', {href: '#/decide'}, 'Decide now'))),
        h('div', {class: 'card'}, Object.keys(record.fields).length
            ? h('dl', {class: 'record'}, Object.entries(record.fields).map(([name, value]) =>
                h('div', {}, h('dt', {}, name, fights.includes(name) &&
                               h('span', {class: 'tag warn'}, 'to decide')),
                  h('dd', {}, valueNode(value)))))
            : h('p', {class: 'soft'}, 'This record has no fields.')),
        h('div', {class: 'row'}, button('Edit', edit, 'primary'),
          button('Delete…', remove, 'quiet danger-text')),
    ];
}

async function save(collection, record, form) {
    const patches = form.patches();
    if (!patches.length) return toast('Nothing was changed.');
    const ops = patches.map((fields, i) => ({op: 'patch', collection, id: record.id, fields,
                                             ...(i === 0 && {if_match: record.version})}));
    const answer = await post('/v1/transactions', {ops});
    answer.ops.flatMap((op) => op.warnings || [])
        .forEach((one) => toast(`${one.field}: ${one.message}`));
    return toast('Saved. The other sites get it when they are connected.');
}

function editing(collection, record, {done, reload}) {
    const form = fieldForm(fieldsOf(collection), record.fields);
    const error = h('div', {class: 'error', role: 'alert', hidden: true});
    const submit = h('button', {type: 'submit', class: 'button primary'}, 'Save');
    const work = async () => {
        error.hidden = true;
        try {
            await save(collection, record, form);
            done();
        } catch (problem) {
            const moved = problem instanceof ApiError && problem.status === 412;
            error.replaceChildren(h('p', {}, moved
                ? 'Somebody else changed this record meanwhile, so nothing was saved.'
                : problem.message), moved ? button('Load what it is now', reload, 'small') : '');
            error.hidden = false;
            form.point(problem.field);
        }
    };
    return h('form', {class: 'card form', 'aria-label': 'Edit the record', onsubmit: (event) => {
        event.preventDefault();
        busy(submit, work);
    }}, form.element, error, h('div', {class: 'row end'}, button('Cancel', done), submit));
}

async function removeRecord(collection, record) {
    const sure = await confirmed(`Delete ${record.id}?`,
        ['The record goes at all sites, also at those that are away now, when they are back.',
         'It can be brought back from its history for a while: open it by its address and choose ' +
         'a moment.'], 'Delete', {danger: true});
    if (!sure) return;
    try {
        await call('DELETE', recordPath(collection, record.id), undefined,
                   {'If-Match': `"${record.version}"`});
        toast('Deleted.');
        location.hash = linkOf(collection);
    } catch (error) {
        toast(error.status === 412 ? 'Somebody changed it meanwhile, so it was not deleted. Look ' +
                                     'at it again.' : error.message, 'bad');
    }
}

function showRecord(box, collection, id, on) {
    let record = null, isEditing = false;
    const draw = () => {
        isEditing = false;
        box.replaceChildren(...reading(record, {
            edit: async () => {
                isEditing = true;
                try {
                    // The elements of lists have names, which typed changes need.
                    record = await get(recordPath(collection, id) + query({elements: 'true'}));
                    await refreshSchema();
                } catch (error) {
                    isEditing = false;
                    return toast(error.message, 'bad');
                }
                const form = editing(collection, record, {done: load, reload: load});
                box.replaceChildren(form);
                return form.querySelector('input, select, textarea')?.focus();
            },
            remove: () => removeRecord(collection, record),
        }).filter(Boolean));
    };
    const load = async () => {
        try {
            record = await get(recordPath(collection, id));
            draw();
        } catch (error) {
            box.replaceChildren(error.status === 404
                ? empty('There is no such record', 'It was deleted, or never written. Its history ' +
                        'may still tell.', h('a', {class: 'button',
                                                   href: linkOf(collection, id, 'history')},
                                            'Look at its history'))
                : failed(error, load));
        }
    };
    on(onRecords((list) => {
        if (!list.some((one) => one.collection === collection && one.id === id)) return;
        if (!isEditing) load();
    }));
    load();
}

// ---- history -----------------------------------------------------------------------------------

const kOutcomes = {in_effect: ['in effect', 'good'], replaced: ['replaced later', ''],
                   lost: ['another value won', 'warn']};

function changeLine(change) {
    return h('li', {}, h('strong', {}, change.field), ' ',
             'from' in change && [h('span', {class: 'was'}, valueText(change.from, 80)), ' → '],
             'from' in change || 'to' in change ? valueText(change.to, 80) : change.words);
}

function stepItem(step, restore) {
    const kind = {delete: 'Deleted', fresh: 'Created', unknown: 'Something of a newer version'};
    const [words, tone] = kOutcomes[step.outcome] || [step.outcome, ''];
    return h('li', {class: 'step'},
             h('div', {class: 'step-head'}, h('strong', {}, kind[step.kind] || 'Changed'),
               h('span', {}, ' by ', writer(step.site, step.source), ', '), stamp(step.time),
               h('span', {class: `tag ${tone}`}, words)),
             step.changes && step.changes.length
                 ? h('ul', {class: 'changes'}, step.changes.map(changeLine)) : '',
             h('p', {class: 'soft small'},
               step.concurrent_with && step.concurrent_with.length
                   ? `At the same time as ${plural(step.concurrent_with.length, 'other change')}. `
                   : '',
               step.arrived && time(step.arrived) !== time(step.time) ? `Known here since ${time(step.arrived)}.` : ''),
             step.exists && step.vector
                 ? button('Make it so again…', () => restore(step), 'quiet small') : '');
}

function showHistory(box, collection, id, on) {
    let steps = [], next = null, complete = true;
    const list = h('ol', {class: 'timeline'});
    const restore = async (step) => {
        const sure = await confirmed('Make the record what it was then?',
            [`It becomes what it was at ${fullTime(step.time)}, as a new change that all sites ` +
             'get. What it is now stays in this history.'], 'Make it so');
        if (!sure) return;
        try {
            await post(`${recordPath(collection, id)}/restore`, {at: step.vector});
            toast('Done.');
            load(true);
        } catch (error) {
            toast(error.message, 'bad');
        }
    };
    const load = async (anew) => {
        try {
            const page = await get(`${recordPath(collection, id)}/history` +
                                   query({limit: 50, before: anew ? undefined : next}));
            steps = anew ? page.steps.toReversed() : steps.concat(page.steps.toReversed());
            next = page.next;
            complete = page.complete;
            list.replaceChildren(...steps.map((step) => stepItem(step, restore)));
            box.replaceChildren(...[
                steps.length ? h('div', {class: 'card'}, list)
                    : empty('No history here', 'Nothing of this record is in the log any more.'),
                next !== null && button('Show earlier changes', (event) =>
                    busy(event.currentTarget, () => load(false))),
                next === null && !complete && h('p', {class: 'soft'},
                    'What was before is not kept any more.')].filter(Boolean));
        } catch (error) {
            box.replaceChildren(error.status === 410
                ? empty('Erased for good', error.message) : failed(error, () => load(true)));
        }
    };
    on(onRecords((changed) => {
        if (changed.some((one) => one.collection === collection && one.id === id)) load(true);
    }));
    load(true);
}

// ---- why ---------------------------------------------------------------------------------------

function wroteLine(write) {
    return [writer(write.site, write.source), ', ', stamp(write.time),
            write.arrived && time(write.arrived) !== time(write.time)
                ? h('span', {class: 'soft'}, `, known here since ${time(write.arrived)}`) : ''];
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function shareText(share) {
    const what = share.element !== undefined || share.value !== undefined
        ? `${valueText(share.value, 80)} ` : '';
    const amount = share.total !== undefined ? `${share.total} ` : share.characters !== undefined
        ? `${plural(share.characters, 'character')} ` : '';
    return `${what}${amount}`;
}

function reason(name, field) {
    return h('section', {class: 'why', 'aria-label': name},
             h('h2', {}, name),
             h('div', {class: 'why-value'}, 'value' in field ? valueNode(field.value)
                 : h('span', {class: 'soft'}, 'taken away')),
             field.written && h('p', {}, 'Written by ', wroteLine(field.written), '.'),
             field.rule && h('p', {class: 'rule'}, sentence(field.rule)),
             field.shares && field.shares.length > 0 && h('details', {},
                 h('summary', {}, 'What it is made of'),
                 h('ul', {}, field.shares.map((share) =>
                     h('li', {}, shareText(share), share.site ? wroteLine(share) : '')))),
             field.lost && field.lost.length > 0 && h('div', {class: 'lost'},
                 h('h3', {}, 'Not shown'),
                 h('ul', {}, field.lost.map((one) =>
                     h('li', {}, h('strong', {}, valueText(one.value)), ' by ', wroteLine(one),
                       one.why ? `: ${one.why}` : '')))),
             field.before && field.before.length > 0 && h('details', {},
                 h('summary', {}, 'Before that'),
                 h('ul', {}, field.before.map((one) =>
                     h('li', {}, valueText(one.value), ' by ', wroteLine(one))))));
}

function showWhy(box, collection, id) {
    const load = async () => {
        try {
            const answer = await get(`${recordPath(collection, id)}/explain`);
            const parts = Object.entries(answer.fields).map(([name, field]) => reason(name, field));
            box.replaceChildren(h('p', {class: 'lead'}, sentence(answer.why)),
                                h('div', {class: 'card reasons'}, parts));
            if (!answer.complete)
                box.append(h('p', {class: 'soft'}, 'Earlier values are not kept any more.'));
        } catch (error) {
            box.replaceChildren(failed(error, load));
        }
    };
    load();
}

export function record(root, [, collection, id, view = ''], {on}) {
    const box = h('div', {}, loading());
    root.append(crumbs(['Records', '#/records'], [collection, linkOf(collection)], [id]),
                h('h1', {}, id),
                h('nav', {class: 'tabs', 'aria-label': 'Views of the record'},
                  kViews.map(([name, text]) => h('a', {href: linkOf(collection, id, name),
                      'aria-current': name === view && 'page'}, text))),
                box);
    if (view === 'history') showHistory(box, collection, id, on);
    else if (view === 'why') showWhy(box, collection, id);
    else showRecord(box, collection, id, on);
}
