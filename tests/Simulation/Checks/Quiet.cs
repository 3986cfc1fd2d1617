using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>
/// The end of the part without faults: everybody was answered, nobody owes anything, and what the hosts have is what the
/// journal says that they should have.
/// </summary>
sealed class Quiet(World world, IReadOnlyList<Client> clients)
{
    public bool Reached => Why.Length == 0;

    /// <summary>What is still to come; empty: nothing.</summary>
    public string Why => Unanswered() ?? Owed() ?? Amiss() ?? "";

    string? Unanswered() => clients.SelectMany(client => client.History).FirstOrDefault(request => request.Answer is null) is { } open
        ? $"{open.Envelope.MessageId} ({open.Envelope.Body} to {open.Envelope.To}) was sent {open.Tries} times and is not answered"
        : clients.FirstOrDefault(client => !client.Done) is { } busy ? $"{busy.Name} is at work" : null;

    string? Owed()
    {
        foreach (var (id, follower) in world.Check.Followers)
        {
            if (follower.HasOpenWork)
            {
                return $"{id} owes something: {States.Of(follower)}";
            }
        }
        return null;
    }

    string? Amiss()
    {
        foreach (var (id, follower) in world.Check.Followers.Where(pair => pair.Key.Kind == "nic"))
        {
            if (States.Of(follower) is NicState { BodyOrNull: not null } left && world.Check.State<VmState>(EntityId.Vm(id.Parts[0])) is VmState.Stopped or VmState.Undefined)
            {
                return $"{id} is {left.Name}, its VM is stopped";
            }
        }
        foreach (var (id, follower) in world.Check.Followers.Where(pair => pair.Key.Kind == "port"))
        {
            var vm = id.Parts[2].Split("--")[0];
            if (States.Of(follower) is PortState { BodyOrNull: not null } left && world.Check.State<VmState>(EntityId.Vm(vm)) is VmState.Stopped or VmState.Undefined)
            {
                return $"{id} is {left.Name}, its VM is stopped";
            }
        }
        foreach (var host in world.Hosts)
        {
            foreach (var device in host.Devices().Where(device => device.NicKey.Length > 0))
            {
                if (world.Check.State<NicState>(EntityId.Parse(device.NicKey)!.Value) is not { BodyOrNull: { } body } state || body.Place.Host != host.Name)
                {
                    return $"{host.Name} has {device.NicKey}, which is not there by what is stored";
                }
                if (body.Drift is null && device.Up != state is NicState.Connected)
                {
                    return $"the gate of {device.NicKey} on {host.Name} is {(device.Up ? "open" : "closed")}, stored is {state.Name}";
                }
            }
        }
        return null;
    }
}
