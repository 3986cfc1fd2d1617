using System.Globalization;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>What a story tells the world to do. Each verb runs until the world is at rest.</summary>
public sealed partial class World
{
    int _messages;

    /// <summary>Opens a session for the host, with what the host has now.</summary>
    public World Connect(string host)
    {
        if (!Hosts.TryGetValue(host, out var path))
        {
            path = Hosts[host] = new DataPath(host);
        }
        OpenSession(host, path);
        return Settle();
    }

    /// <summary>The agent's stream breaks and comes again, while other work is under way.</summary>
    public void Reconnect(string host)
    {
        _sessions.Remove(host);
        OpenSession(host, Hosts[host]);
    }

    void OpenSession(string host, DataPath path)
    {
        var question = Ask(EntityId.Bridge(host), NextMessage("agent"), new OpenSession("memory", "1", true, path.Inventory()));
        while (question.Answer is null)
        {
            Step();
        }
        _sessions[host] = ((SessionOpened)question.Answer.Reply!).Session;
    }

    /// <summary>The host's agent goes away; what the host has stays.</summary>
    public World Disconnect(string host)
    {
        if (_sessions.Remove(host, out var session))
        {
            Tell(EntityId.Bridge(host), new CloseSession(session, "test"));
        }
        return Settle();
    }

    /// <summary>Somebody removes the device behind our back.</summary>
    public World RemoveDevice(string host, string nicKey) => Report(host, Hosts[host].Remove(nicKey));

    /// <summary>Somebody moves the gate behind our back.</summary>
    public World MoveGate(string host, string nicKey, bool up) => Report(host, Hosts[host].MoveGate(nicKey, up));

    /// <summary>Somebody changes the device's MTU behind our back.</summary>
    public World SetMtu(string host, string nicKey, int mtu) => Report(host, Hosts[host].SetMtu(nicKey, mtu));

    /// <summary>Somebody flushes what the host enforces for the NIC behind our back.</summary>
    public World LosePolicy(string host, string nicKey) => Report(host, Hosts[host].LosePolicy(nicKey));

    /// <summary>Somebody plugs a device of their own into a switch, or takes it off again.</summary>
    public World ForeignDevice(string host, string name, string device, bool there = true) =>
        Report(host, Hosts[host].Foreign(name, device, there));

    public Answer Do(EntityId to, Command body, string? messageId = null)
    {
        var question = Ask(to, messageId ?? NextMessage("test"), body);
        Settle();
        return question.Answer ?? throw new InvalidOperationException($"{body} was not answered");
    }

    public Answer DefineSwitch(EntityId id, DriftPolicy drift, params ExtensionDefinition[] extensions) =>
        Do(id, new DefineSwitch(new SwitchDefinition(SwitchKind.External, null, drift, extensions)));

    /// <summary>One OID from a peer; its request id names the message, so that the same again is a repeat.</summary>
    public Answer Oid(EntityId id, OidRequest request) => Do(id, new SubmitOid(request, FromPeer: true), request.RequestId);

    public Answer DefineVm(string vm, string host, params NicDefinition[] nics) => Do(EntityId.Vm(vm), new DefineVm(new VmDefinition(host, nics)));

    public Answer StartVm(string vm) => Do(EntityId.Vm(vm), new StartVm());

    public Answer StopVm(string vm) => Do(EntityId.Vm(vm), new StopVm());

    public T State<T>(EntityId id)
        where T : class => (T)State(id)!;

    /// <summary>The switch as it is, in the state in which it has ports.</summary>
    public SwitchState.Here Switch(EntityId id) => State<SwitchState.Here>(id);

    string NextMessage(string who) => string.Create(CultureInfo.InvariantCulture, $"{who}-{++_messages}");

    void Tell(EntityId to, Command body) => Ask(to, NextMessage("agent"), body);

    World Report(string host, DriverFrame frame)
    {
        if (_sessions.TryGetValue(host, out var session))
        {
            Tell(EntityId.Bridge(host), new ReportFrames(session, [frame]));
        }
        return Settle();
    }

    /// <summary>The agent's part: a command of the session that is open is carried out and its completion reported.</summary>
    void Carry(EntityId bridge, long session, DriverCommand command)
    {
        var host = bridge.Parts[0];
        if (_sessions.GetValueOrDefault(host) == session)
        {
            Tell(bridge, new ReportCompletion(session, Hosts[host].Carry(command)));
        }
    }
}
