using ControlPlane.Actors.Bridge;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Migrations;

/// <summary>
/// Everything that stands against a migration, all of it at once and before anybody is asked (switch.md 4.6). Each check is
/// the one that the migration itself makes in its first stage, on states that somebody else has read; what only the
/// destination's extensions know, its validation port asks them.
/// </summary>
public static class MigrationChecks
{
    /// <param name="stateOf">The state of an entity as it is known; null: nothing is known of it.</param>
    public static IEnumerable<Refusal> Refusals(VmState vm, MigrateVm migrate, Func<EntityId, object?> stateOf, Turn turn)
    {
        var definition = vm.DefinitionOrNull ?? throw new ArgumentException($"{vm.Id} is not defined", nameof(vm));
        if (RefusalOf(VmLifecycle.Decide(vm, migrate, turn)) is { } no)
        {
            yield return no;
        }
        if (vm is not VmState.Running && VmMigrations.Refusal(definition, migrate) is { } wrong)
        {
            yield return wrong;
        }
        foreach (var host in (string[])[migrate.Destination, .. migrate.Destination == definition.Host ? [] : new[] { definition.Host }])
        {
            if (OfHost(host, stateOf, turn) is { } away)
            {
                yield return away;
            }
        }
        foreach (var nic in definition.Nics)
        {
            if (vm is VmState.Running && OfNic(vm.Id.Parts[0], definition.Host, nic, stateOf, turn) is { } elsewhere)
            {
                yield return elsewhere;
            }
            if (migrate.Destination != definition.Host && stateOf(EntityId.Bridge(migrate.Destination)) is not null)
            {
                var to = EntityId.Switch(migrate.Destination, nic.Switch);
                foreach (var refusal in Arrivals.Refusals(stateOf(to) as SwitchState ?? SwitchLifecycle.Initial(to), nic))
                {
                    yield return refusal;
                }
            }
        }
    }

    static Refusal? OfHost(string host, Func<EntityId, object?> stateOf, Turn turn) => stateOf(EntityId.Bridge(host)) is BridgeState bridge
        ? RefusalOf(BridgeLifecycle.Decide(bridge, new CheckHost(), turn))
        : new Refusal(RefusalKind.Unprocessable, "host.unknown", $"There is no host {host}.", Field: "destination");

    static Refusal? OfNic(string vm, string host, NicDefinition nic, Func<EntityId, object?> stateOf, Turn turn)
    {
        var id = EntityId.Nic(vm, nic.Name);
        var read = NicLifecycle.Decide(stateOf(id) as NicState ?? NicLifecycle.Initial(id), new ReadAttachment(), turn);
        return read is Decision<NicEvent>.Accepted { Reply: AttachmentRead attachment }
            ? MigrationSteps.NotConnected(nic.Name, host, attachment)
            : RefusalOf(read);
    }

    static Refusal? RefusalOf<TEvent>(Decision<TEvent> decision) => (decision as Decision<TEvent>.Refused)?.Refusal;
}
