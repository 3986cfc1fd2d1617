using System.Globalization;
using System.Text.Json;
using ControlPlane.Actors.Switches;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>What waits at a switch, and what it keeps of what it has answered, is bounded in bytes and not by number alone.</summary>
public sealed class LaneBoundsTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId P7 = EntityId.Port("hv01", "sw", "p7");

    readonly World _world = new World().Connect("hv01");
    int _requests;

    [Fact]
    public void Large_output_of_a_query_is_said_once_and_neither_stored_nor_kept()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        Fill(OidCode.PropertyAdd, 0);
        var said = Ask("list", OidCode.PropertyEnum);
        var bytes = said.Output!.Value.GetRawText().Length;
        Assert.True(bytes > 3 * 8_000);
        Assert.Null(said.OutputNotKept);
        OnRecord(Sw);
        for (var crash = 0; crash < 2; crash++)
        {
            var stored = _world.Stored;
            var again = Ask("list", OidCode.PropertyEnum);
            Assert.Equal((NdisStatus.Success, null, bytes), (again.Status, again.Output, again.OutputNotKept));
            Assert.Equal(stored, _world.Stored);
            _world.Crash(Sw, withSnapshot: true);
        }
        Assert.NotNull(Ask("list-2", OidCode.PropertyEnum).Output);
    }

    [Fact]
    public void Small_output_of_a_query_is_given_again()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        var said = Ask("who", OidCode.Parameters).Output!.Value.GetRawText();
        Assert.Equal(said, Ask("who", OidCode.Parameters).Output!.Value.GetRawText());
    }

    [Fact]
    public void Port_keeps_no_output_of_an_enumeration_and_answers_it_anew()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        Does(OidCode.PortCreate, new PortParameters("p7"));
        Fill(OidCode.PortPropertyAdd, 7);
        var question = _world.Ask(Sw, "list", new SubmitOid(new OidRequest("list", OidCode.PortPropertyEnum, 7), true));
        var before = _world.Rows(P7).Count;
        while (_world.Rows(P7).Count == before)
        {
            _world.Step();
        }
        _world.Crash(P7); // stored, not said
        _world.Settle();
        Assert.True(((OidOutcome)question.Answer!.Reply!).Output!.Value.GetRawText().Length > 3 * 8_000);
        OnRecord(P7);
        OnRecord(Sw);
    }

    [Fact]
    public void Value_that_is_too_large_never_waits()
    {
        Pending();
        var refusal = _world.Oid(Sw, new OidRequest("large", OidCode.PropertyAdd, 0, 0, Value(PayloadSizes.ValueMax + 1))).Refusal;
        Assert.Equal(("oid.value.large", "switch.md 2.1", "parameters.value"), (refusal?.Code, refusal?.Rule, refusal?.Field));
        Assert.Empty(_world.Switch(Sw).Queue);
        Assert.Equal("OidRejected", _world.Events(Sw)[^1]);
        _ = Waits(OidCode.PropertyAdd, Value(PayloadSizes.ValueMax));
    }

    [Fact]
    public void Blob_that_is_too_large_never_waits()
    {
        Pending();
        var blob = new NicRestoreParameters("someone", Convert.ToBase64String(new byte[PayloadSizes.BlobMax + 1]));
        var refusal = _world.Oid(Sw, new OidRequest("large", OidCode.NicRestore, 7, 0, blob)).Refusal;
        Assert.Equal(("nic.restore.blob", "switch.md 2.1"), (refusal?.Code, refusal?.Rule));
        Assert.Empty(_world.Switch(Sw).Queue);
    }

    [Fact]
    public void Queue_is_full_when_its_bytes_are_though_its_places_are_not()
    {
        Pending();
        var request = new OidRequest("", OidCode.PropertyAdd, 0, 0, Value(PayloadSizes.ValueMax));
        var fit = PayloadSizes.QueueBytesMax / PayloadSizes.Weight(request);
        var waiting = Enumerable.Range(0, fit).Select(n => Waits(OidCode.PropertyAdd, Value(PayloadSizes.ValueMax))).ToList();
        Assert.InRange(fit, 1, 999);
        var refusal = _world.Oid(Sw, request with { RequestId = "over" }).Refusal;
        Assert.Equal(("actor.overloaded", RefusalKind.Overloaded), (refusal?.Code, refusal?.Kind));
        Assert.Contains("bytes", refusal?.Detail, StringComparison.Ordinal);
        _world.Do(Sw, new CompleteOid("pending", "test.verdict", NdisStatus.Success));
        Assert.All(waiting, question => Assert.NotNull(question.Answer));
        Assert.Null(_world.Oid(Sw, request with { RequestId = "over" }).Refusal);
    }

    /// <summary>Nothing that was stored of an entity has a large output, in an event or in an answer.</summary>
    void OnRecord(EntityId id)
    {
        Assert.All(_world.Rows(id).Where(row => row.Name.StartsWith("OidCompleted", StringComparison.Ordinal)), row => Assert.InRange(row.Body.Length, 0, OidOutcome.OutputKeptMax));
        Assert.All(_world.Rows(id).SelectMany(row => row.Answers), answer => Assert.InRange(answer.Payload.Length, 0, OidOutcome.OutputKeptMax));
    }

    /// <summary>An extension has pended the OID "pending": all others wait.</summary>
    void Pending()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report, new ExtensionDefinition("test.verdict", ExtensionClass.Filter, true, new ExtensionSettings(Pends: [OidCode.PortCreate])));
        _world.Ask(Sw, "pending", new SubmitOid(new OidRequest("pending", OidCode.PortCreate, 7, 0, new PortParameters("p7")), true));
        _world.Settle();
        Assert.NotNull(_world.Switch(Sw).Slot);
    }

    Question Waits(OidCode oid, OidParameters parameters)
    {
        var id = NextId();
        var question = _world.Ask(Sw, id, new SubmitOid(new OidRequest(id, oid, 0, 0, parameters), true));
        _world.Settle();
        Assert.Equal(id, _world.Switch(Sw).Queue[^1].MessageId);
        return question;
    }

    void Fill(OidCode oid, uint port)
    {
        for (var n = 0; n < 3; n++)
        {
            Does(oid, Value(8_000), port);
        }
    }

    void Does(OidCode oid, OidParameters parameters, uint port = 7) =>
        Assert.Equal(NdisStatus.Success, ((OidOutcome)_world.Oid(Sw, new OidRequest(NextId(), oid, port, 0, parameters)).Reply!).Status);

    OidOutcome Ask(string id, OidCode oid) => (OidOutcome)_world.Oid(Sw, new OidRequest(id, oid, 0)).Reply!;

    PropertyParameters Value(int bytes) => new(
        PropertyType.Custom, NextId(), "7f0d7a1e-52a7-4b9e-8c55-3f1d3c8e2b01", 0, JsonSerializer.SerializeToElement(new string('x', bytes - 2)));

    string NextId() => string.Create(CultureInfo.InvariantCulture, $"r-{++_requests}");
}
