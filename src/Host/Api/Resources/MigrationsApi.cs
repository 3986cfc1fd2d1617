using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Migrations;
using ControlPlane.Actors.Vms;
using ControlPlane.Host.Api.Documents;
using ControlPlane.Host.Api.Requests;
using ControlPlane.Host.Projections;
using ControlPlane.Host.Security;
using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Resources;

/// <summary>Moves of VMs from host to host: begin, look, cancel, and what a VM manager says of the guest.</summary>
static class MigrationsApi
{
    public static void Map(RouteGroupBuilder v1)
    {
        var needs = new ChangeNeeds(Role.Migrator);
        v1.MapPost("/vms/{vm}/migrations", Begin).WithMetadata(needs).Accepts<MigrateVm>("application/json").Produces<OperationDocument>()
            .Produces<OperationDocument>(StatusCodes.Status202Accepted)
            .WithSummary("Moves a running VM to another host; with dryRun says everything that stands against it");
        v1.MapGet("/migrations", List).Produces<Page<MigrationDocument>>().WithSummary("The migrations, also those that have ended");
        v1.MapGet("/migrations/{id}", Get).Produces<MigrationDocument>().WithSummary("One migration, now or at a time");
        v1.MapGet("/migrations/{id}/history", (HttpContext http, string id, EventLog log, PageTokens tokens) =>
            EventsApi.History(http, MigrationIds.Read(id), log, tokens)).Produces<Page<EventDocument>>().WithSummary("The migration's events");
        v1.MapPost("/migrations/{id}/cancel", Cancel).WithMetadata(needs).Produces<MigrationDocument>()
            .WithSummary("Gives a migration up, before its commit point");
        v1.MapPost("/migrations/{id}/guest", Guest).WithMetadata(needs).Accepts<ReportGuest>("application/json").Produces<MigrationDocument>()
            .WithSummary("What a VM manager says of the guest: paused, resumed or failed");
    }

    static async Task<IResult> Begin(HttpContext http, string vm, ReadTables tables, Door door, Operations operations, TimeProvider time)
    {
        var query = new Query(http, "dryRun", "wait");
        var (id, wait) = (EntityId.Vm(ApiNames.Vm(vm)), query.Wait);
        var body = await Body.Read(http);
        var migrate = MigrationBody.Read(body);
        var key = RequestKey.Required(http, body);
        if (!query.DryRun && !door.Settled(query, key) && tables.Present(EntityId.Bridge(migrate.Destination)) is null)
        {
            return Problem.Wrong("host.unknown", $"There is no host {migrate.Destination}.", "destination").Result();
        }
        var answer = await door.Change(http, query, id, migrate, key, operation: true);
        return query.DryRun && Report(answer, tables, id, migrate, new Turn(time.GetUtcNow(), key.MessageId, http.Caller().Who, key.Id, key.Id)) is { } report
            ? report
            : answer.Early(query) ?? await Begun(http, key.Id, wait, tables, door, operations);
    }

    /// <summary>The migration begins when its VM has told it to: whoever is answered may look at it.</summary>
    static async Task<IResult> Begun(HttpContext http, string operation, TimeSpan? wait, ReadTables tables, Door door, Operations operations)
    {
        if (tables.Operation(operation) is { Migration: { } migration })
        {
            await door.Reached(migration, 1, http.RequestAborted);
        }
        return await operations.Answer(http, operation, wait);
    }

    /// <summary>Everything that stands against it, and not the first of it alone; null: the VM itself could not be asked.</summary>
    static IResult? Report(Answer answer, ReadTables tables, EntityId vm, MigrateVm migrate, Turn turn)
    {
        if (answer.Refusal is { Kind: not (RefusalKind.Conflict or RefusalKind.Unprocessable) } || tables.Present(vm)?.State is not VmState state)
        {
            return null;
        }
        var refusals = MigrationChecks.Refusals(state, migrate, id => tables.View(id)?.State, turn).ToList();
        if (answer.Refusal is { } own && !refusals.Exists(refusal => refusal.Code == own.Code))
        {
            refusals.Insert(0, own);
        }
        return Replies.Json(new MigrationCheckDocument(
            true, refusals.Count == 0, [.. refusals.Select(refusal => Problem.Of(refusal).Document())], refusals.Count == 0 ? answer.WouldStore ?? [] : []));
    }

    static IResult List(HttpContext http, ReadTables tables, PageTokens tokens)
    {
        var query = new Query(http, "limit", "pageToken");
        return Replies.Page(
            http, query, tokens, (after, limit) => tables.List("migration", null, null, after, limit), view => view.Id.Text, RenderMigration.Of);
    }

    static IResult Get(HttpContext http, string id, ReadTables tables, PastViews past)
    {
        var query = new Query(http, "at");
        var migration = MigrationIds.Read(id);
        return Replies.Find(query, tables, past, migration) is { } view
            ? Replies.Shown(http, view, RenderMigration.Of(view))
            : Replies.Absent("migration", migration);
    }

    static async Task<IResult> Cancel(HttpContext http, string id, ReadTables tables, Door door)
    {
        var query = new Query(http, "dryRun");
        var migration = MigrationIds.Read(id);
        var body = await Body.ReadOptional(http);
        body?.Done();
        return await Tell(http, query, migration, new CancelMigration(), RequestKey.Required(http, body), tables, door);
    }

    static async Task<IResult> Guest(HttpContext http, string id, ReadTables tables, Door door)
    {
        var query = new Query(http, "dryRun");
        var migration = MigrationIds.Read(id);
        var body = await Body.Read(http);
        var happened = body.ChoiceOrNull("event",
            ("paused", GuestEvent.Paused), ("resumed", GuestEvent.Resumed), ("failed", GuestEvent.Failed)) ?? throw body.Missing("event");
        body.Done();
        return await Tell(http, query, migration, new ReportGuest(happened), RequestKey.Required(http, body), tables, door);
    }

    /// <summary>The answer is the migration as it is then: what follows from it goes on.</summary>
    static async Task<IResult> Tell(HttpContext http, Query query, EntityId migration, Command command, RequestKey key, ReadTables tables, Door door)
    {
        if (!door.Settled(query, key) && tables.Present(migration) is null)
        {
            return Replies.Absent("migration", migration);
        }
        var answer = await door.Change(http, query, migration, command, key);
        if (answer.Early(query) is { } early)
        {
            return early;
        }
        if (tables.Present(migration) is { } view && view.Sequence >= answer.Sequence)
        {
            return Replies.Shown(http, view, RenderMigration.Of(view));
        }
        http.Response.Headers.Location = $"/v1/migrations/{RenderMigration.Id(migration)}";
        return Results.StatusCode(StatusCodes.Status202Accepted);
    }
}

/// <summary>Reads the body of a migration.</summary>
static class MigrationBody
{
    const int BlackoutMsMax = MigrateVm.DeadlineSecondsMax * 1_000;

    public static MigrateVm Read(Body body)
    {
        var migrate = new MigrateVm(
            body.Name("destination", "host"),
            body.ChoiceOrNull("mode", ("strict", MigrationMode.Strict)) ?? MigrationMode.Strict,
            body.ChoiceOrNull("guest", ("none", GuestMover.None), ("external", GuestMover.External)) ?? GuestMover.None,
            (int)(body.NumberOrNull("deadlineSeconds", 1, MigrateVm.DeadlineSecondsMax) ?? MigrateVm.DeadlineSecondsDefault),
            (int?)body.NumberOrNull("maxBlackoutMs", 1, BlackoutMsMax));
        body.Done();
        return migrate;
    }
}

/// <summary>A migration's id in the interface: VM~N.</summary>
static class MigrationIds
{
    public static EntityId Read(string text)
    {
        var at = text.LastIndexOf('~');
        return at > 0 && text.AsSpan(at + 1) is [>= '1' and <= '9', ..] digits
            && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? EntityId.Migration(ApiNames.Vm(text[..at]), number)
                : throw new BadInputException(text.Any(char.IsControl)
                    ? Problem.Malformed("name.control", "The migration's id has a control character.", "id")
                    : Problem.Wrong("migration.id", "A migration's id is VM~N, such as web-1~1.", "id"));
    }
}
